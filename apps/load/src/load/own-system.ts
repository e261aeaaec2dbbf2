import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClusterProcesses, until } from '@homeport/testkit';
import { ClusterWatch } from '../chaos/cluster-watch.js';
import { readFinalLog, type LogRow } from '../history/final-log.js';
import { readSpans, type Span } from '../history/span.js';
import type { System, SystemProcess } from './system.js';

/** A node that joins waits until it is sure of the others, and is then given slots at a bounded rate. */
const SHARE_WITHIN_MS = 150_000;
/** Of what an even spread would give. */
const ENOUGH = 0.9;

/** Servers, Postgres and, with more than one server, Redis: all private to the run. */
export class OwnSystem implements System {
  readonly kind = 'own';
  readonly watch: ClusterWatch;

  private constructor(
    readonly cluster: ClusterProcesses,
    private readonly folder: string,
    private readonly spansFolder: string | undefined,
  ) {
    this.watch = new ClusterWatch(cluster.postgres.url);
  }

  /** One node has nobody to quarrel with about slots: only several are watched in what they say of them. */
  static async start(
    nodes: number,
    folder: string,
    settings: Readonly<Record<string, string>>,
    givenUp: AbortSignal,
  ): Promise<OwnSystem> {
    const spansFolder = nodes > 1 ? join(folder, 'spans') : undefined;
    const env: Record<string, string> = { LOG_LEVEL: 'warn', ...settings };
    if (spansFolder !== undefined) {
      await mkdir(spansFolder, { recursive: true });
      const witness = fileURLToPath(new URL('../witness/ownership.js', import.meta.url));
      env['NODE_OPTIONS'] = `--import file://${witness}`;
      env['OWNERSHIP_SPANS'] = spansFolder;
    }
    const system = new OwnSystem(await ClusterProcesses.start({ nodes, env }), folder, spansFolder);
    try {
      await system.balanced(givenUp);
      return system;
    } catch (error) {
      await system.stop();
      throw error;
    }
  }

  /** Resolves when every node has its share of the slots, or nearly so, or when nobody wants it any more. */
  async balanced(givenUp?: AbortSignal): Promise<void> {
    const { nodes } = this.cluster;
    await until(SHARE_WITHIN_MS, 'every node to have its share of the slots', async () => {
      if (givenUp?.aborted) return true;
      const { owners, nodes: names } = await this.watch.look();
      const shares = nodes.map(({ name }) => owners.filter((owner) => names.get(owner ?? '') === name).length);
      return shares.every((share) => share >= (ENOUGH * owners.length) / nodes.length);
    });
  }

  get own(): OwnSystem {
    return this;
  }

  get urls(): readonly string[] {
    return this.cluster.nodes.filter(({ isUp }) => isUp).map(({ url }) => url);
  }

  get unseen(): readonly string[] {
    return this.spansFolder === undefined ? ['rule 8: one node has all slots, so there is nobody to overlap with'] : [];
  }

  processes(): readonly SystemProcess[] {
    const nodes = this.cluster.nodes.filter(({ isUp }) => isUp).map(({ name, pid, url }) => ({ name, pid, url }));
    return [...nodes, { name: 'postgres', pid: this.cluster.postgres.pid, url: undefined }];
  }

  async slots(): Promise<Record<string, number> | undefined> {
    const look = await this.watch.look().catch(() => undefined);
    if (!look) return undefined;
    const counts: Record<string, number> = {};
    for (const owner of look.owners) {
      const name = owner === null ? 'nobody' : (look.nodes.get(owner) ?? 'nobody');
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  finalLog(): Promise<readonly LogRow[]> {
    return readFinalLog(this.cluster.postgres.url);
  }

  async spans(): Promise<readonly Span[]> {
    if (this.spansFolder === undefined) return [];
    const spans: Span[] = [];
    for (const name of await readdir(this.spansFolder))
      for (const span of await readSpans(join(this.spansFolder, name))) spans.push(span);
    return spans;
  }

  async stop(): Promise<void> {
    await this.watch.close();
    try {
      for (const node of this.cluster.nodes) await writeFile(join(this.folder, `${node.name}.log`), node.logs);
    } finally {
      await this.cluster.stop();
    }
  }
}
