/** `npm run load -- <scenario>`: one command for a load on a Homeport, its own or one elsewhere. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, type Command } from '../command.js';
import { renderPage } from '../page/page.js';
import { LiveView } from '../page/live-view.js';
import { OTHERS, SCENARIOS } from '../scenarios/all.js';
import { Conductor } from './conductor.js';
import { EXIT_INTERRUPTED, inOwnGroup } from './own-group.js';
import { assertFilesEnough } from './open-files.js';
import { commonLines, helpOf, readOptions, type LoadOptions } from './options.js';
import type { Moment, RunResult } from './run-result.js';
import { sizeOf, type Scenario } from './scenario.js';
import { summaryOf } from './summary.js';

const INTERRUPTED = 'it was interrupted';

export const load: Command = {
  name: 'load',
  says: 'people at work on a cluster, measured, with a page of plots and a verdict',
  help([name, ...args]) {
    if (name !== undefined && !name.startsWith('-')) return otherNamed(name)?.help(args) ?? helpOf(scenarioNamed(name));
    return [
      'Usage: npm run load -- <scenario> [options]',
      '',
      'Scenarios:',
      ...[...SCENARIOS, ...OTHERS].map(({ name, says }) => `  ${name.padEnd(18)}${says}`),
      '',
      'Options:',
      ...commonLines(),
      '',
      '`npm run load -- <scenario> --help` tells the options of a scenario, such as how many people there are.',
      'The exit code is 0 only if no promise was broken and what was asked for happened. What everybody saw stays beside',
      'the result, in history/, and so does the log, in log.jsonl, where a promise was broken.',
    ].join('\n');
  },
  async run([name, ...args]) {
    const other = otherNamed(name);
    if (other) return other.run(args);
    const scenario = scenarioNamed(name);
    const options = readOptions(scenario, args);
    assertFilesEnough(scenario.sessions(sizeOf(options.sizes)), options.generators, options.urls.length === 0);
    return inOwnGroup(() => play(scenario, options));
  },
};

function otherNamed(name: string | undefined): Command | undefined {
  return OTHERS.find((command) => command.name === name);
}

function scenarioNamed(name: string | undefined): Scenario {
  const scenario = SCENARIOS.find((known) => known.name === name);
  if (scenario) return scenario;
  const names = [...SCENARIOS, ...OTHERS].map((known) => known.name).join(', ');
  throw new CommandError(`${name === undefined ? 'say which scenario' : `"${name}" is not a scenario`}: ${names}`);
}

async function play(scenario: Scenario, options: LoadOptions): Promise<number> {
  const folder = options.out ?? join('.homeport', 'load', `${scenario.name}-${stamp(new Date())}`);
  const view = new LiveView(process.stdout, scenario.name, (options.warmUpSeconds + options.seconds) * 1_000);
  let last: { readonly moment: Moment; readonly atMs: number } | undefined;
  // Once the view is there, nobody else writes to the terminal.
  const note = (says: string): void =>
    last ? view.show(last.moment, { atMs: last.atMs, note: says }) : void process.stderr.write(`${says}\n`);
  const conductor = new Conductor(scenario, options, folder, {
    note,
    moment: (moment, atMs, note) => {
      last = { moment, atMs };
      view.show(moment, { atMs, ...(note !== undefined && { note }) });
    },
  });
  let isInterrupted = false;
  // A second Ctrl-C changes nothing: the servers have to be ended, and what that may take is bounded.
  const interrupt = (): void => {
    if (!isInterrupted) note(`${INTERRUPTED}, and ends in order`);
    isInterrupted = true;
    conductor.cut(INTERRUPTED);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  // Whoever started it is gone.
  process.on('disconnect', interrupt);
  const result = await conductor.play();
  await keep(result, folder);
  view.end([...summaryOf(result), `result: ${join(folder, 'index.html')}`]);
  return isInterrupted ? EXIT_INTERRUPTED : result.verdict.ok ? 0 : 1;
}

async function keep(result: RunResult, folder: string): Promise<void> {
  await writeFile(join(folder, 'result.json'), `${JSON.stringify(result, undefined, 1)}\n`);
  await writeFile(join(folder, 'index.html'), renderPage(result));
}

function stamp(date: Date): string {
  return date.toISOString().slice(0, 19).replaceAll(':', '-');
}
