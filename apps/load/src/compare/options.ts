/** What one may ask of a comparison. */
import { parseArgs } from 'node:util';
import { CommandError } from '../command.js';
import { SYSTEM_NAMES, type SystemName } from './systems/system.js';
import type { Work } from './work.js';
import { acks } from './works/acks.js';
import { hotBoard } from './works/hot-board.js';
import { ladder } from './works/ladder.js';
import { latency } from './works/latency.js';
import { reads } from './works/reads.js';
import { reconnect } from './works/reconnect.js';

const USUAL: readonly Work[] = [acks, latency, hotBoard, reads, reconnect];
const ALL: readonly Work[] = [...USUAL, ladder];
const ROUNDS = 5;
const ROUNDS_MAX = 1_000;

export interface CompareOptions {
  readonly works: readonly Work[];
  readonly systems: readonly SystemName[];
  readonly rounds: number;
  readonly quick: boolean;
  /** Where the result goes. */
  readonly folder: string;
}

export function help(): string {
  return [
    'Usage: npm run load -- compare [options]',
    '',
    'Homeport beside a plain Socket.IO server that stores nothing, and beside the obvious stateless design, in turns on',
    'this machine. It starts everything itself; with all works and rounds it takes about a quarter of an hour.',
    '',
    '  --quick           one short round: to see that it works, not to quote',
    `  --rounds <n>      how often each system has its turn [${ROUNDS}]`,
    '  --only <a,b,…>    some works:',
    ...ALL.map(({ name, says }) => `                      ${name.padEnd(12)}${says}`),
    `  --systems <a,b,…> some systems: ${SYSTEM_NAMES.join(', ')}`,
    '  --ladder          the last of these too, which takes long',
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
      only: { type: 'string' },
      systems: { type: 'string' },
      ladder: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const works = values.only === undefined ? USUAL : chosen('only', values.only, ALL, nameOf);
  return {
    works: values.ladder && !works.includes(ladder) ? [...works, ladder] : works,
    systems: values.systems === undefined ? SYSTEM_NAMES : chosen('systems', values.systems, SYSTEM_NAMES, String),
    rounds: values.rounds === undefined ? (values.quick ? 1 : ROUNDS) : roundsOf(values.rounds),
    quick: values.quick,
    folder: values.out ?? `.homeport/load/compare-${now.toISOString().slice(0, 19).replaceAll(':', '-')}`,
  };
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

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (Number.isSafeInteger(rounds) && rounds >= 1 && rounds <= ROUNDS_MAX) return rounds;
  throw new CommandError(`--rounds must be a whole number from 1 to ${ROUNDS_MAX}, not "${text}"`);
}
