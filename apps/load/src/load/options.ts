/** What may be said on the command line, and the one line for what is wrong with it. */
import { cpus } from 'node:os';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { CommandError } from '../command.js';
import type { Scenario, Size, Sizes } from './scenario.js';
import { objection } from './this-machine.js';

export interface LoadOptions {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly rampSeconds: number;
  readonly seed: number;
  /** Systems elsewhere; empty: a cluster of its own. */
  readonly urls: readonly string[];
  /** Whether other machines than this one may be loaded. */
  readonly ownsSystem: boolean;
  readonly token: string | undefined;
  readonly nodes: number;
  readonly generators: number;
  readonly patienceSeconds: number;
  readonly prefix: string;
  /** Undefined: a folder with a name of its own. */
  readonly out: string | undefined;
  readonly sizes: Sizes;
}

interface Common {
  readonly type: 'string' | 'boolean';
  readonly value?: string;
  readonly says: string;
}

const COMMON = {
  seconds: { type: 'string', value: 'n', says: 'how long, after the warm-up' },
  'warm-up': { type: 'string', value: 'n', says: 'seconds before, which count for nothing but the checker [5]' },
  ramp: { type: 'string', value: 'n', says: 'seconds of the warm-up in which the load rises [half of it]' },
  seed: { type: 'string', value: 'n', says: 'what is done by whom [random]' },
  nodes: { type: 'string', value: 'n', says: 'servers of its own cluster; with one, there is no Redis' },
  url: { type: 'string', value: 'address', says: 'a system elsewhere instead; once for each node that shall be asked' },
  token: { type: 'string', value: 'text', says: 'the token that everybody shows to it' },
  prefix: { type: 'string', value: 'text', says: 'what the names of all documents begin with [load-]' },
  'i-own-this-system': { type: 'boolean', says: 'lets it load an address that is not on this machine' },
  generators: { type: 'string', value: 'n', says: 'processes that the people are spread over [cores - 1, 4 at most]' },
  patience: { type: 'string', value: 'n', says: 'seconds after which what does not come is given up [30]' },
  out: { type: 'string', value: 'folder', says: 'where the result goes [.homeport/load/<scenario>-<time>]' },
  help: { type: 'boolean', says: 'this text, or with a scenario its own options' },
} as const satisfies Record<string, Common>;

const SECONDS_MAX = 7 * 24 * 3_600;

/** Throws a `CommandError`, or what `parseArgs` says of an option that it does not know. */
export function readOptions(scenario: Scenario, args: readonly string[]): LoadOptions {
  const known: NonNullable<ParseArgsConfig['options']> = {};
  for (const name of Object.keys(scenario.sizes)) known[name] = { type: 'string' };
  for (const [name, { type }] of Object.entries(COMMON)) known[name] = { type, multiple: name === 'url' };
  const { values } = parseArgs({ args: [...args], options: known });
  const given = values as Readonly<Record<string, string | boolean | undefined>>;
  const number = (name: string, preset: number, from: number, to: number, isFraction = false): number =>
    readNumber(name, given[name], preset, from, to, isFraction);
  const text = (name: string): string | undefined => given[name] as string | undefined;

  const urls = (values['url'] as readonly string[] | undefined)?.map((url) => readUrl(url)) ?? [];
  if (urls.length > 0 && scenario.breaks)
    throw new CommandError(`${scenario.name} breaks servers, and only those that it started itself: leave out --url`);
  if (urls.length > 0 && given['nodes'] !== undefined)
    throw new CommandError('--nodes is for a cluster of its own, --url for one elsewhere: leave out one of them');
  if (urls.length === 0 && text('token') !== undefined)
    throw new CommandError('--token is for a system elsewhere: say which with --url');
  const ownsSystem = given['i-own-this-system'] === true;
  const objected = ownsSystem ? undefined : urls.map(objection).find((why) => why !== undefined);
  if (objected !== undefined) throw new CommandError(objected);
  const prefix = text('prefix') ?? 'load-';
  if (!/^[A-Za-z0-9][A-Za-z0-9._:~-]{0,39}$/.test(prefix))
    throw new CommandError('--prefix must be up to 40 of A-Z a-z 0-9 . _ : ~ -');

  const nodes = number('nodes', scenario.nodes, scenario.nodesMin ?? 1, 64);
  const sizes = Object.fromEntries(
    Object.entries(scenario.sizes).map(([name, { preset, from = 1, to = 10_000_000, isFraction }]) => [
      name,
      number(name, preset, from, to, isFraction),
    ]),
  );
  if (urls.length === 0 && nodes === 1 && (sizes['relayed'] ?? 0) > 0)
    throw new CommandError('--relayed needs a node that is not the owner: say --nodes 2 or more');

  const warmUpSeconds = number('warm-up', 5, 0, 3_600, true);
  return {
    seconds: number('seconds', scenario.seconds, 1, SECONDS_MAX),
    warmUpSeconds,
    rampSeconds: Math.min(number('ramp', warmUpSeconds / 2, 0, 3_600, true), warmUpSeconds),
    seed: number('seed', Math.floor(Math.random() * 2 ** 31), 0, 2 ** 32),
    urls,
    ownsSystem,
    token: text('token'),
    nodes,
    generators: number('generators', Math.max(1, Math.min(4, cpus().length - 1)), 1, 256),
    patienceSeconds: number('patience', 30, 1, 3_600),
    prefix,
    out: text('out'),
    sizes,
  };
}

export function helpOf(scenario: Scenario): string {
  const own = Object.entries(scenario.sizes).map(([name, size]) => optionLine(name, 'n', sizeSays(size)));
  return [
    `Usage: npm run load -- ${scenario.name} [options]`,
    '',
    `${scenario.says}.`,
    '',
    ...own,
    '',
    ...commonLines({ seconds: ` [${scenario.seconds}]`, nodes: ` [${scenario.nodes}]` }),
  ].join('\n');
}

export function commonLines(presets: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(COMMON).map(([name, option]) =>
    optionLine(name, 'value' in option ? option.value : undefined, option.says + (presets[name] ?? '')),
  );
}

function optionLine(name: string, value: string | undefined, says: string): string {
  const start = `  --${name}${value === undefined ? '' : ` <${value}>`}`;
  return `${start.padEnd(24)} ${says}`;
}

function sizeSays({ says, preset }: Size): string {
  return `${says} [${preset}]`;
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new CommandError(`--url must be an address such as http://localhost:3000, not "${text}"`);
  return url.origin;
}

function readNumber(
  name: string,
  given: string | boolean | undefined,
  preset: number,
  from: number,
  to: number,
  isFraction: boolean,
): number {
  if (given === undefined) return preset;
  const value = given === '' ? Number.NaN : Number(given);
  if (!(value >= from && value <= to) || !(isFraction || Number.isSafeInteger(value)))
    throw new CommandError(`--${name} must be ${isFraction ? 'a number' : 'a whole number'} from ${from} to ${to}`);
  return value;
}
