/**
 * What a cluster costs by itself, as `docs/scaling.md` says it: in a second in which nothing changes, and with each change.
 * The test holds these against the simulation, and the page against these.
 */
import { DEFAULT_NODE_SETTINGS } from '@homeport/core';

/** Heartbeats and renewals of a node in a second. */
const HEARTBEATS = 2;
const RENEWALS = 1_000 / DEFAULT_NODE_SETTINGS.renewalMs;
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

/** Notices of a change: one for each batch, which goes to one node and has so many slots at most, and two that name it. */
export function noticesMax(nodes: number, moved: number): number {
  return nodes + Math.ceil(moved / DEFAULT_NODE_SETTINGS.handoffSlots) + 2;
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
