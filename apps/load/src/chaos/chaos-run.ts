/**
 * One run: a cluster, people who work on it, and one fault after the other, each healed before the next.
 *
 *   fault ──> healed ──> flowing again (all documents open, every writer has an ack, every slot an owner) ──> fault …
 *   at the end: nothing is written any more ──> everything is answered, all copies and all nodes agree ──> the log is read
 *
 * Then the history, which was written to a file all the while, is held against the log. A run also fails when a fault that was asked for did not happen, when
 * something that had to follow did not come in a very generous time, or when the nodes gave no word on their slots.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ClusterProcesses, SeededRandom } from '@homeport/testkit';
import { check, type Verdict } from '../history/checker.js';
import type { Evidence, FaultTime } from '../history/evidence.js';
import { readFinalLog } from '../history/final-log.js';
import { nowMs, type Operation } from '../history/operation.js';
import { readHistory, Recorder } from '../history/recorder.js';
import { readSpans, type Span } from '../history/span.js';
import { ClusterWatch } from './cluster-watch.js';
import { OpenLoad } from './open-load.js';
import { script } from './script.js';
import { pause, type Fault, type Stage, type Struck } from './stage.js';

export interface ChaosOptions {
  readonly nodes: number;
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** The run ends when this is over and every fault came at least once; 0: each comes once. */
  readonly lengthMs: number;
  /** Where the evidence is written. */
  readonly folder: string;
  /** Planted bugs: files that each server loads before itself. */
  readonly preload?: readonly string[];
  readonly patienceMs?: number;
  readonly tell: (line: string) => void;
  /** What is going on at the moment, for a terminal. */
  readonly status?: (line: string) => void;
  readonly abort?: AbortSignal;
}

/** One fault that was made. */
export interface Round extends FaultTime, Struck {
  /** When the load was flowing again. */
  readonly flowingMs: number;
}

export interface ChaosResult {
  readonly ok: boolean;
  readonly seed: number;
  readonly nodes: number;
  /** Where history, final log, the words of the nodes and their logs are. */
  readonly folder: string;
  readonly rounds: readonly Round[];
  /** Why the run failed, apart from what the checker found. */
  readonly failures: readonly string[];
  readonly verdict: Verdict;
  readonly evidence: Evidence;
  readonly shed: number;
  readonly httpReads: { readonly answered: number; readonly unanswered: number };
}

const PATIENCE_MS = 60_000;
const CALM_MS = 1_000;
/** A gap in the time of a fault may be as long as the fault, and this. */
const GAP_SLACK_MS = 15_000;
const WITNESS = 'dist/apps/load/src/witness/ownership.js';

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const run = new ChaosRun(options);
  return run.play();
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #patienceMs: number;
  readonly #random: SeededRandom;
  readonly #rounds: Round[] = [];
  readonly #failures: string[] = [];
  readonly #recorder: Recorder;
  readonly #spansFolder: string;
  /** What is answered from now on is not part of the history. */
  #isOver = false;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#random = new SeededRandom(options.seed);
    this.#recorder = new Recorder(join(options.folder, 'history.jsonl'));
    this.#spansFolder = join(options.folder, 'spans');
  }

  async play(): Promise<ChaosResult> {
    const { nodes, seed, tell, preload = [] } = this.#options;
    tell(`seed ${seed}, ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`);
    await mkdir(this.#spansFolder, { recursive: true });
    // The witness comes last, so that it hears what a planted bug makes a node say.
    const loaded = [...preload, pathToFileURL(resolve(WITNESS)).href].map((file) => `--import ${file}`).join(' ');
    const cluster = await ClusterProcesses.start({
      nodes,
      breakable: true,
      env: { LOG_LEVEL: 'warn', NODE_OPTIONS: loaded, OWNERSHIP_SPANS: this.#spansFolder },
    });
    const watch = new ClusterWatch(cluster.postgres.url);
    const load = new OpenLoad({
      random: this.#random,
      urls: () => cluster.nodes.filter(({ isUp }) => isUp).map(({ url }) => url),
      record: (operation) => this.#record(operation),
    });
    try {
      load.start();
      await this.#act({ cluster, load, watch, random: this.#random, patienceMs: this.#patienceMs });
      load.stop();
      this.#isOver = true;
      return await this.#judge(await this.#evidence(cluster), load);
    } finally {
      load.stop();
      await watch.close();
      try {
        for (const node of cluster.nodes) await writeFile(join(this.#options.folder, `${node.name}.log`), node.logs);
      } finally {
        await cluster.stop();
      }
    }
  }

  async #act(stage: Stage): Promise<void> {
    const { faults, lengthMs, abort, status } = this.#options;
    try {
      await stage.load.flowing(this.#patienceMs);
      const endMs = nowMs() + lengthMs;
      const next = script(stage.random, faults);
      while (abort?.aborted !== true && (this.#rounds.length < faults.length || nowMs() < endMs)) {
        const fault = next.next().value;
        status?.(`${this.#rounds.length + 1}: ${fault.name}, ${fault.says}`);
        await this.#strike(stage, fault);
      }
      status?.('settling');
      await this.#settle(stage);
    } catch (error) {
      this.#failures.push((error as Error).message);
    }
  }

  async #strike(stage: Stage, fault: Fault): Promise<void> {
    await pause(CALM_MS);
    const start = nowMs();
    const struck = await fault.strike(stage).catch((error: Error) => {
      throw new Error(`${fault.name}: ${error.message}`, { cause: error });
    });
    const end = nowMs();
    await stage.load.flowing(this.#patienceMs).catch((error: Error) => {
      throw new Error(`after ${fault.name}: ${error.message}`, { cause: error });
    });
    const { isWhole } = await stage.watch.look();
    if (!isWhole) this.#failures.push(`after ${fault.name} the load flows, and some slots have no living owner`);
    const gapLimitMs = end - start + GAP_SLACK_MS;
    const round = { fault: fault.name, start, end, gapLimitMs, ...struck, flowingMs: nowMs() };
    this.#rounds.push(round);
    if (struck.missed !== undefined) this.#failures.push(`${fault.name} did not happen: ${struck.missed}`);
    this.#failures.push(...(struck.broke ?? []));
    this.#options.tell(describeRound(this.#rounds.length, round));
  }

  async #settle({ load, watch }: Stage): Promise<void> {
    load.stopWriting();
    await load.settle(load.clients, this.#patienceMs, () => watch.heads());
    await load.readEverywhere();
  }

  async #evidence(cluster: ClusterProcesses): Promise<Evidence> {
    const log = await readFinalLog(cluster.postgres.url);
    const spans: Span[] = [];
    for (const name of await readdir(this.#spansFolder))
      for (const span of await readSpans(join(this.#spansFolder, name))) spans.push(span);
    if (spans.length === 0) this.#failures.push('no node gave its word on any slot');
    this.#failures.push(...cluster.strays);
    await writeFile(join(this.#options.folder, 'log.json'), JSON.stringify(log));
    await this.#recorder.close();
    return { history: await readHistory(this.#recorder.path), log, spans, faults: this.#rounds };
  }

  async #judge(evidence: Evidence, load: OpenLoad): Promise<ChaosResult> {
    const { nodes, seed, abort, folder } = this.#options;
    if (abort?.aborted === true) this.#failures.push('it was ended before its time');
    const verdict = check(evidence);
    const ok = verdict.ok && this.#failures.length === 0;
    const { shed, httpReads } = load;
    const outcome = { rounds: this.#rounds, failures: this.#failures, verdict, evidence, shed, httpReads };
    return { ok, seed, nodes, folder, ...outcome };
  }

  #record(operation: Operation): void {
    if (!this.#isOver) this.#recorder.record(operation);
  }
}

function describeRound(index: number, { fault, did, start, end, flowingMs, ownedAfterMs }: Round): string {
  const owned = ownedAfterMs === undefined ? '' : `, slots owned after ${Math.round(ownedAfterMs)} ms`;
  const times = `${((end - start) / 1_000).toFixed(1)} s, flowing ${Math.round(flowingMs - end)} ms later`;
  return `${String(index).padStart(3)} ${fault}: ${did}${owned} (${times})`;
}
