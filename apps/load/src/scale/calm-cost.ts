/**
 * What a cluster in which nothing changes costs by itself, in a second, as `docs/scaling.md` says it. The test holds it
 * against the simulation, and the page against it.
 */

/** Heartbeats and renewals of a node in a second. */
const HEARTBEATS = 2;
const RENEWALS = 4 / 3;
/** About: names and addresses differ in length. */
const HEARTBEAT_BYTES = 210;
const NODE_ROW_BYTES = 225;

export interface CalmCost {
  readonly published: number;
  /** Redis hands each heartbeat to every node, its sender too. */
  readonly delivered: number;
  readonly deliveredBytes: number;
  readonly renewals: number;
  /** Each renewal is answered with every node's row. */
  readonly rows: number;
  readonly rowBytes: number;
}

export function calmCost(nodes: number): CalmCost {
  const delivered = HEARTBEATS * nodes * nodes;
  const rows = RENEWALS * nodes * nodes;
  return {
    published: HEARTBEATS * nodes,
    delivered,
    deliveredBytes: delivered * HEARTBEAT_BYTES,
    renewals: RENEWALS * nodes,
    rows,
    rowBytes: rows * NODE_ROW_BYTES,
  };
}

/** A row of the page's table. */
export function calmRow(nodes: number): string {
  const { published, delivered, deliveredBytes, renewals, rows, rowBytes } = calmCost(nodes);
  const cells = [nodes, published, delivered].map(whole);
  return `| ${[...cells, megabytes(deliveredBytes), whole(renewals), whole(rows), megabytes(rowBytes)].join(' | ')} |`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toLocaleString('en', { maximumSignificantDigits: 2 })} MB`;
}
