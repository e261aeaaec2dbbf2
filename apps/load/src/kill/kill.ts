/** `npm run kill`: the kill test, for as many rounds as one likes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ServerProcess } from '@homeport/testkit';
import { CommandError, type Command } from '../command.js';
import { describe } from '../history/checker.js';
import { readFinalLog, type LogRow } from '../history/final-log.js';
import type { Operation } from '../history/operation.js';
import { Recorder } from '../history/recorder.js';
import { embeddedUrl } from './embedded-url.js';
import { runKills, type KillResult } from './kill-run.js';

export const kill: Command = {
  name: 'kill',
  says: 'kill the built server under twenty writing sessions, again and again, and check the history',
  help: () =>
    [
      'Usage: npm run kill [-- options]',
      '',
      '  --rounds <n>      how often it is killed, every second time with its Postgres [10]',
      '  --clients <n>     sessions that write [20]',
      '  --documents <n>   documents that they share [4]',
      '  --seed <n>        what they write, and when the kills come [random]',
      '  --help            this text',
      '',
      'History, final log and the output of the server are kept when anything went wrong.',
    ].join('\n'),
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string', default: '10' },
        clients: { type: 'string', default: '20' },
        documents: { type: 'string', default: '4' },
        seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      },
    });
    const count = (name: keyof typeof values): number => wholeNumber(name, values[name]);
    const result = await killServer({
      rounds: count('rounds'),
      clients: count('clients'),
      documents: count('documents'),
      seed: count('seed'),
      tell: (line) => void process.stdout.write(`${line}\n`),
    });
    return result.ok ? 0 : 1;
  },
};

export interface KillSettings {
  readonly rounds: number;
  readonly clients: number;
  readonly documents: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
  /** A file that the server loads before itself: a planted bug. */
  readonly preload?: string;
  readonly patienceMs?: number;
}

export interface KillReport extends KillResult {
  /** Where history, final log and the output of the server are, if anything went wrong. */
  readonly evidence: string | undefined;
}

/** Starts a server with a data folder of its own, plays the run on it and keeps the evidence if it went wrong. */
export async function killServer(settings: KillSettings): Promise<KillReport> {
  const { tell, preload } = settings;
  const evidence = await mkdtemp(join(tmpdir(), 'homeport-kill-'));
  const recorder = new Recorder(join(evidence, 'history.jsonl'));
  const server = await ServerProcess.start({
    env: { LOG_LEVEL: 'warn', ...(preload !== undefined && { NODE_OPTIONS: `--import ${preload}` }) },
  });
  try {
    tell(`seed ${settings.seed}`);
    const readLog = async (): Promise<LogRow[]> => readFinalLog(await embeddedUrl(server.dataDir!));
    const record = (operation: Operation): void => recorder.record(operation);
    const patienceMs = settings.patienceMs ?? 60_000;
    const result = await runKills(server, { ...settings, window: 8, patienceMs, record, readLog });
    tell(describe(result.verdict));
    await recorder.close();
    if (result.ok) {
      await rm(evidence, { recursive: true });
      return { ...result, evidence: undefined };
    }
    await writeFile(join(evidence, 'server.log'), server.logs);
    await writeFile(join(evidence, 'log.json'), JSON.stringify(await readLog()));
    tell(`evidence: ${evidence}`);
    return { ...result, evidence };
  } finally {
    await server.dispose();
  }
}

function wholeNumber(name: string, text: string | undefined): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new CommandError(`--${name} must be a whole number from 1`);
  return value;
}
