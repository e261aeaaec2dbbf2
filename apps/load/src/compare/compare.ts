/**
 * `compare`: Homeport beside what people build today, each as processes of its own, in turns on this machine. Absolute
 * figures say as much about the machine as about the systems, so what counts is the ratio within each round.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, type Command } from '../command.js';
import { assertFilesEnough } from '../load/open-files.js';
import type { RunVerdict } from '../load/run-result.js';
import { thisMachine } from '../measuring/machine.js';
import { renderComparePage } from '../page/compare-page.js';
import { makeResultFolder } from '../result-folder.js';
import type { CompareResult } from './compare-result.js';
import { Comparison } from './comparison.js';
import { help, readOptions, type CompareOptions } from './options.js';
import { summary } from './summary.js';
import { Stage } from './systems/stage.js';

export const compare: Command = {
  name: 'compare',
  says: 'Homeport beside a plain Socket.IO server and the obvious stateless design, in turns',
  help,
  async run(args) {
    const options = readOptions(args, new Date());
    assertFilesEnough(Math.max(...options.works.map(({ sockets }) => sockets)), 1, true);
    const folder = await makeResultFolder(options.folder);
    const interrupt = new AbortController();
    const onSignal = (): void => interrupt.abort(new Error('interrupted'));
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    try {
      const stage = await setStage(options, interrupt.signal);
      if (stage === undefined) return 1;
      const { result, failed } = await compareOn(stage, options, interrupt.signal);
      await writeFile(join(folder, 'result.json'), `${JSON.stringify(result, undefined, 2)}\n`);
      await writeFile(join(folder, 'index.html'), renderComparePage(result));
      tell(`\n${summary(result)}\n\n${join(options.folder, 'index.html')}`);
      return result.verdict.ok && result.cutShort === undefined && failed === 0 ? 0 : 1;
    } finally {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    }
  },
};

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Undefined: interrupted meanwhile. */
async function setStage({ systems }: CompareOptions, interrupt: AbortSignal): Promise<Stage | undefined> {
  tell(`starting ${systems.join(', ')}`);
  try {
    return await Stage.set(systems, tell);
  } catch (error) {
    if (!interrupt.aborted) throw new CommandError(`what is compared did not start: ${(error as Error).message}`);
    tell('interrupted before anything was measured');
    return undefined;
  }
}

async function compareOn(
  stage: Stage,
  { works, rounds, rate, quick }: CompareOptions,
  interrupt: AbortSignal,
): Promise<{ readonly result: CompareResult; readonly failed: number }> {
  const startedAt = new Date().toISOString();
  const startMs = performance.now();
  try {
    const comparison = new Comparison(stage.systems, { works, rounds, quick, tell, interrupt });
    if (quick) comparison.warn('the rounds were short: this shows that it works, and is not to be quoted');
    await comparison.play();
    const result: CompareResult = {
      format: 'homeport-compare/1',
      startedAt,
      durationMs: Math.round(performance.now() - startMs),
      machine: thisMachine(),
      options: {
        quick,
        rounds,
        rate,
        only: works.map(({ name }) => name).join(','),
        systems: stage.systems.map(({ name }) => name).join(','),
      },
      systems: stage.systems.map(({ name, says }) => ({ name, says })),
      works: comparison.works,
      warnings: comparison.warnings,
      verdict: verdictOf(comparison),
      ...(comparison.cutShort !== undefined && { cutShort: comparison.cutShort }),
    };
    return { result, failed: comparison.failed };
  } finally {
    await stage.stop();
  }
}

function verdictOf({ violations, pushesChecked }: Comparison): RunVerdict {
  if (pushesChecked === 0) return { ok: true, says: ['no push of Homeport was held against its log'], violations };
  const checked = `${pushesChecked.toLocaleString('en')} acknowledged pushes of Homeport were held against its log`;
  const found =
    violations.length === 0
      ? 'each stands at the seq of its ack, with what was sent; there are no others, and no gaps'
      : `${violations.length} VIOLATIONS, the first: ${violations[0]!.document}: ${violations[0]!.says}`;
  return { ok: violations.length === 0, says: [checked, found], violations };
}
