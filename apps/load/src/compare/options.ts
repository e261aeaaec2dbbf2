/** What one may ask of a comparison. */
import { parseArgs } from 'node:util';
import { CommandError } from '../command.js';
import { SYSTEM_NAMES, type SystemName } from './systems/system.js';
import { isFor, type Work } from './work.js';
import { acks } from './works/acks.js';
import { hotBoard } from './works/hot-board.js';
import { ladder } from './works/ladder.js';
import { largeDocument } from './works/large-document.js';
import { latencyAt, PUSHES_PER_SECOND } from './works/latency.js';
import { reads } from './works/reads.js';
import { reconnect } from './works/reconnect.js';

const ROUNDS = 5;
const ROUNDS_MAX = 1_000;
const RATE_MAX = 100_000;

export interface CompareOptions {
  readonly works: readonly Work[];
  readonly systems: readonly SystemName[];
  readonly rounds: number;
  /** Pushes per second, of the latencies. */
  readonly rate: number;
  readonly quick: boolean;
  /** Where the result goes. */
  readonly folder: string;
}

export function help(): string {
  return [
    'Usage: npm run load -- compare [options]',
    '',
    'Homeport beside a plain Socket.IO server that stores nothing, and beside the obvious stateless design, in turns on',
    'this machine. It starts everything itself; with all works and rounds it takes about twenty minutes.',
    '',
    '  --quick           one short round: to see that it works, not to quote',
    `  --rounds <n>      how often each system has its turn [${ROUNDS}]`,
    '  --only <a,b,…>    some works:',
    ...worksAt(PUSHES_PER_SECOND).map(({ name, says }) => `                      ${name.padEnd(16)}${says}`),
    `  --systems <a,b,…> some systems: ${SYSTEM_NAMES.join(', ')}`,
    '  --ladder          the last of these too, which takes long',
    `  --rate <n>        pushes per second at which latencies are measured [${PUSHES_PER_SECOND}]`,
    '  --out <folder>    where result.json and index.html go [.homeport/load/compare-<time>]',
    '  --help            this text',
    '',
    'Ctrl-C ends it and reports what was measured so far. The exit code is 0 only if everything was measured, and the',
    'logs of Homeport hold exactly what was acknowledged; a target that is missed is shown, and no error.',
  ].join('\n');
}

/** Throws a `CommandError`, or what `parseArgs` says, for anything that is not known. `now` names the folder. */
export function readOptions(args: readonly string[], now: Date): CompareOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      rate: { type: 'string' },
      only: { type: 'string' },
      systems: { type: 'string' },
      ladder: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const systems = values.systems === undefined ? SYSTEM_NAMES : chosen('systems', values.systems, SYSTEM_NAMES, String);
  const rate = wholeOf('rate', values.rate, PUSHES_PER_SECOND, RATE_MAX);
  const all = worksAt(rate).filter((work) => isFor(work, systems));
  const only =
    values.only === undefined ? all.filter((work) => work !== ladder) : chosen('only', values.only, all, nameOf);
  const works = values.ladder && !only.includes(ladder) ? [...only, ladder] : only;
  if (values.rate !== undefined && !works.some(({ name }) => name === 'latency'))
    throw new CommandError('--rate is that of latency: leave it out, or name latency in --only');
  return {
    works,
    systems,
    rounds: wholeOf('rounds', values.rounds, values.quick ? 1 : ROUNDS, ROUNDS_MAX),
    rate,
    quick: values.quick,
    folder: values.out ?? `.homeport/load/compare-${now.toISOString().slice(0, 19).replaceAll(':', '-')}`,
  };
}

/** In the order in which they are played. */
function worksAt(rate: number): readonly Work[] {
  return [acks, latencyAt(rate), hotBoard, largeDocument, reads, reconnect, ladder];
}

function nameOf({ name }: Work): string {
  return name;
}

/** Those of `all` that are named, in the order of `all`. */
function chosen<T>(option: string, text: string, all: readonly T[], nameOf: (one: T) => string): readonly T[] {
  const wanted = text.split(',').map((name) => name.trim());
  const known = all.map(nameOf);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new CommandError(`--${option} knows ${known.join(', ')}, not "${unknown}"`);
  return all.filter((one) => wanted.includes(nameOf(one)));
}

function wholeOf(option: string, text: string | undefined, preset: number, max: number): number {
  const number = text === undefined ? preset : Number(text);
  if (Number.isSafeInteger(number) && number >= 1 && number <= max) return number;
  throw new CommandError(`--${option} must be a whole number from 1 to ${max}, not "${text}"`);
}
