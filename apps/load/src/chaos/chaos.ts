/** `npm run chaos`: a real cluster, real clients, and everything that can go wrong, for as long as one likes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { CommandError, type Command } from '../command.js';
import { makeResultFolder } from '../result-folder.js';
import { runChaos } from './chaos-run.js';
import { FAULTS } from './faults/all.js';
import { report, rowsOf } from './report.js';
import type { Fault } from './stage.js';
import { terminal } from './terminal.js';

const PLANTED = 'dist/apps/load/src/planted';

export const chaos: Command = {
  name: 'chaos',
  says: 'a cluster of processes under load and faults, and its history checked',
  help: () =>
    [
      'Usage: npm run chaos [-- options]',
      '',
      '  --minutes <n>      how long; every fault comes at least once [5]',
      '  --smoke            every fault once, and the end',
      '  --seed <n>         what is written, and what is broken when [random]',
      '  --nodes <n>        servers; with one, there is no Redis [3]',
      '  --fault <a,b,…>    only these [all that make sense with so many nodes]',
      '  --plant <name>     a planted bug in every server: the run must fail',
      '  --out <folder>     where the result and, after a failure, the evidence is kept [a temporary one]',
      '  --help             this text',
      '',
      'Faults:',
      ...FAULTS.map(({ name, says }) => `  ${name.padEnd(16)}${says}`),
      '',
      'The exit code is 0 only if nothing was violated and every fault that was asked for happened.',
    ].join('\n'),
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '5' },
        smoke: { type: 'boolean', default: false },
        seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
        nodes: { type: 'string', default: '3' },
        fault: { type: 'string' },
        plant: { type: 'string', multiple: true, default: [] },
        out: { type: 'string' },
      },
    });
    const nodes = wholeNumber('nodes', values.nodes);
    const seed = wholeNumber('seed', values.seed);
    const lengthMs = values.smoke ? 0 : wholeNumber('minutes', values.minutes) * 60_000;
    const faults = faultsOf(values.fault, nodes);
    const preload = values.plant.map(plantedFile);
    const folder = await (values.out === undefined
      ? mkdtemp(join(tmpdir(), 'homeport-chaos-'))
      : makeResultFolder(values.out));
    const screen = terminal(process.stdout);
    const stop = new AbortController();
    // Once: what runs is ended in order, after the fault that is under way; a second time ends at once.
    process.once('SIGINT', () => stop.abort());
    const { tell, status } = screen;
    const result = await runChaos({ nodes, seed, faults, lengthMs, folder, preload, tell, status, abort: stop.signal });
    screen.tell(report(result));
    const { evidence: _, ...summary } = result;
    const json = JSON.stringify({ ...summary, faults: rowsOf(result) }, null, 2);
    await writeFile(join(folder, 'result.json'), json);
    if (!result.ok) return 1;
    if (values.out === undefined) await rm(folder, { recursive: true });
    else
      for (const name of readdirSync(folder))
        if (name !== 'result.json') await rm(join(folder, name), { recursive: true });
    return 0;
  },
};

function faultsOf(names: string | undefined, nodes: number): readonly Fault[] {
  if (names === undefined) return FAULTS.filter(({ nodesMin }) => nodesMin <= nodes);
  return names.split(',').map((name) => {
    const fault = FAULTS.find((known) => known.name === name.trim());
    if (!fault) throw new CommandError(`--fault ${name} is not known: ${FAULTS.map((known) => known.name).join(', ')}`);
    if (fault.nodesMin > nodes) throw new CommandError(`--fault ${name} needs ${fault.nodesMin} nodes`);
    return fault;
  });
}

function plantedFile(name: string): string {
  const file = resolve(PLANTED, `${name}.js`);
  if (existsSync(file)) return pathToFileURL(file).href;
  const known = readdirSync(resolve(PLANTED)).filter((one) => one.endsWith('.js'));
  throw new CommandError(`--plant ${name} is not known: ${known.map((one) => basename(one, '.js')).join(', ')}`);
}

function wholeNumber(name: string, text: string | undefined): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new CommandError(`--${name} must be a whole number from 1`);
  return value;
}
