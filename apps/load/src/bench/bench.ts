/**
 * The benchmark: one command that measures the shipped server, as a process of its own with default settings, and what
 * it is compared with, in turns on the same machine. Figures drift by a third from run to run, so only those of one run
 * compare; each is the median of its rounds, with the lowest and the highest. The result file holds every value.
 *
 * The generator, the server and Postgres share the machine's cores: absolute figures say as much about the machine.
 */
import { writeFile } from 'node:fs/promises';
import { freemem, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { CommandError, type Command } from '../command.js';
import { acks } from './acks.js';
import { hotBoard } from './hot-board.js';
import { idleMemory } from './idle-memory.js';
import { largeDocument } from './large-document.js';
import { latency } from './latency.js';
import type { Bench, Measured, Measurement } from './measurement.js';
import { thisMachine } from '../measuring/machine.js';
import { table } from '../measuring/table.js';

const MEASUREMENTS: readonly Measurement[] = [acks, latency, hotBoard, idleMemory, largeDocument];

interface Section {
  readonly name: string;
  readonly says: string;
  readonly outcome: ({ readonly kind: 'measured' } & Measured) | { readonly kind: 'failed'; readonly why: string };
}

class Interrupted extends Error {}

export const bench: Command = {
  name: 'bench',
  says: 'measure the built server against a plain Socket.IO echo',
  help: () =>
    [
      'Usage: npm run bench [-- options]',
      '',
      '  --quick           short rounds: to see that it works, not to quote',
      '  --only <names>    some measurements, separated by commas:',
      ...MEASUREMENTS.map(({ name, says }) => `                      ${name.padEnd(16)}${says}`),
      '  --out <file>      where the result goes, as JSON [bench-result.json]',
      '  --help            this text',
      '',
      'Ctrl-C ends it and reports what was measured so far.',
    ].join('\n'),
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, out: { type: 'string' } },
    });
    const chosen = choose(values.only);
    const machine = { ...thisMachine(), freeBytes: freemem(), load: loadavg()[0]! };
    const at = new Date().toISOString();
    process.stdout.write(
      `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load.toFixed(2)}\n`,
    );
    const { sections, interrupted } = await measureAll(chosen, values.quick);
    if (interrupted) process.stdout.write('\ninterrupted: this is what ran\n');
    process.stdout.write(`\n${table(sections.map(({ says, outcome }) => ({ says, rows: rowsOf(outcome) })))}\n`);
    const out = values.out ?? 'bench-result.json';
    await writeFile(
      out,
      `${JSON.stringify({ at, machine, quick: values.quick, interrupted, sections }, undefined, 2)}\n`,
    );
    process.stdout.write(`every value: ${out}\n`);
    return !interrupted && sections.every(({ outcome }) => outcome.kind === 'measured') ? 0 : 1;
  },
};

async function measureAll(
  chosen: readonly Measurement[],
  quick: boolean,
): Promise<{ readonly sections: readonly Section[]; readonly interrupted: boolean }> {
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort(new Interrupted());
  process.once('SIGINT', onSignal);
  const context: Bench = {
    quick,
    tell: (line) => void process.stdout.write(`  ${line}\n`),
    span: (ms) => span(ms, interrupt.signal),
    rounds: async (count, play) => {
      try {
        for (let round = 0; round < count; round++) await play(round);
      } catch (error) {
        if (!interrupt.signal.aborted) throw error;
      }
    },
  };
  const sections: Section[] = [];
  try {
    for (const { name, says, run } of chosen) {
      process.stdout.write(`${name}: ${says}\n`);
      try {
        sections.push({ name, says, outcome: { kind: 'measured', ...(await run(context)) } });
      } catch (error) {
        if (interrupt.signal.aborted) break;
        sections.push({ name, says, outcome: { kind: 'failed', why: (error as Error).message } });
      }
      if (interrupt.signal.aborted) break;
    }
  } finally {
    process.off('SIGINT', onSignal);
  }
  return { sections, interrupted: interrupt.signal.aborted };
}

function choose(only: string | undefined): readonly Measurement[] {
  if (only === undefined) return MEASUREMENTS;
  return only.split(',').map((name) => {
    const found = MEASUREMENTS.find((measurement) => measurement.name === name);
    if (!found)
      throw new CommandError(`--only knows ${MEASUREMENTS.map((each) => each.name).join(', ')}, not "${name}"`);
    return found;
  });
}

function rowsOf(outcome: Section['outcome']): Measured['rows'] {
  switch (outcome.kind) {
    case 'measured':
      return outcome.rows;
    case 'failed':
      return [{ what: 'FAILED', value: outcome.why }];
  }
}

function span(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    if (signal.aborted) return reject(signal.reason as Error);
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
