/** Who owns what, as the rows in Postgres say, asked on a way that no fault cuts. */
import { slotOf } from '@homeport/core';
import { connect } from '@homeport/postgres';
import type { DocumentId } from '@homeport/protocol';

type Sql = ReturnType<typeof connect>;

export interface Ownership {
  /** Of each slot: the id of the node that has it; null: nobody. */
  readonly owners: readonly (string | null)[];
  /** Whether each slot belongs to a node that is up or draining. */
  readonly isWhole: boolean;
  /** The name of each node that is up or draining, by id. */
  readonly nodes: ReadonlyMap<string, string>;
}

export class ClusterWatch {
  readonly #sql: Sql;

  constructor(databaseUrl: string) {
    this.#sql = connect(databaseUrl, 2);
  }

  /** Rejects while Postgres is away. */
  async look(): Promise<Ownership> {
    const slots = await this.#sql<{ owner: string | null }[]>`SELECT owner FROM slot ORDER BY slot`;
    const nodes = await this.#sql<{ id: string; name: string }[]>`
      SELECT node_id AS id, name FROM node WHERE state IN ('up', 'draining')`;
    const living = new Map(nodes.map(({ id, name }) => [id, name]));
    const owners = slots.map(({ owner }) => owner);
    return { owners, nodes: living, isWhole: owners.every((owner) => owner !== null && living.has(owner)) };
  }

  /** Slots that still belong to one of these nodes, or to nobody that lives. Rejects while Postgres is away. */
  async unservedBut(ids: readonly string[]): Promise<number> {
    const [row] = await this.#sql<{ count: number }[]>`
      SELECT count(*) AS count FROM slot s LEFT JOIN node n ON n.node_id = s.owner AND n.state IN ('up', 'draining')
       WHERE n.node_id IS NULL OR n.node_id = ANY(string_to_array(${ids.join(' ')}, ' '))`;
    return row!.count;
  }

  async ownerOf(document: DocumentId): Promise<{ readonly id: string; readonly name: string }> {
    const { owners, nodes } = await this.look();
    const id = owners[slotOf(document)];
    if (typeof id !== 'string') throw new Error(`nobody owns ${document}`);
    return { id, name: nodes.get(id) ?? id };
  }

  async heads(): Promise<Map<DocumentId, number>> {
    const rows = await this.#sql<{ id: string; head: number }[]>`SELECT document_id AS id, head FROM document`;
    return new Map(rows.map(({ id, head }) => [id, head]));
  }

  /** The processes of Postgres, but for the first. */
  async backends(): Promise<number[]> {
    return (await this.#sql<{ pid: number }[]>`SELECT pid FROM pg_stat_activity`).map(({ pid }) => pid);
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 1 });
  }
}
