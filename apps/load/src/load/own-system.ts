import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClusterProcesses } from '@homeport/testkit';
import { ClusterWatch } from '../chaos/cluster-watch.js';
import { readFinalLog, type LogRow } from '../history/final-log.js';
import { readSpans, type Span } from '../history/span.js';
import type { System, SystemProcess } from './system.js';

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
  static async start(nodes: number, folder: string, settings: Readonly<Record<string, string>>): Promise<OwnSystem> {
    const spansFolder = nodes > 1 ? join(folder, 'spans') : undefined;
    const env: Record<string, string> = { LOG_LEVEL: 'warn', ...settings };
    if (spansFolder !== undefined) {
      await mkdir(spansFolder, { recursive: true });
      const witness = fileURLToPath(new URL('../witness/ownership.js', import.meta.url));
      env['NODE_OPTIONS'] = `--import file://${witness}`;
      env['OWNERSHIP_SPANS'] = spansFolder;
    }
    return new OwnSystem(await ClusterProcesses.start({ nodes, env }), folder, spansFolder);
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
    for (const node of this.cluster.nodes) await writeFile(join(this.folder, `${node.name}.log`), node.logs);
    await this.cluster.stop();
  }
}
