/** Real processes that do little, and end as they are told: what is kept running, and what is left alone. */
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '@homeport/testkit';
import { Supervised, type Exit, type Pauses } from '../scripts/supervised.mjs';

const LONG_MS = 20_000;
const NO_PAUSE: Pauses = { firstMs: 1, maxMs: 1, steadyMs: 60_000 };
const LIVES = `console.log('up'); setInterval(() => {}, 1_000);`;

const started: Process[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map(({ supervised }) => supervised.stop(0)));
});

class Process {
  readonly lines: string[] = [];
  readonly ends: { readonly exit: Exit; readonly pauseMs: number | undefined }[] = [];
  readonly supervised: Supervised;

  constructor(script: string, pauses = NO_PAUSE) {
    const listener = {
      said: (line: string) => void this.lines.push(line),
      ended: (exit: Exit, pauseMs: number | undefined) => void this.ends.push({ exit, pauseMs }),
    };
    this.supervised = new Supervised({ file: process.execPath, args: ['-e', script], env: {} }, listener, pauses);
    started.push(this);
    this.supervised.start();
  }

  said(line: string, times = 1): Promise<void> {
    return until(LONG_MS, `"${line}" to be said ${times} times`, () => this.count(line) >= times);
  }
  count(line: string): number {
    return this.lines.filter((said) => said === line).length;
  }
  ended(times: number): Promise<void> {
    return until(LONG_MS, `${times} ends`, () => this.ends.length >= times);
  }
}

describe('a supervised process', () => {
  it('Q3: that is killed is started again, as another process', async () => {
    const living = new Process(LIVES);
    await living.said('up');
    const first = living.supervised.pid;
    living.supervised.kill('SIGKILL');
    await living.said('up', 2);
    expect(living.ends).toEqual([{ exit: { code: null, signal: 'SIGKILL' }, pauseMs: 1 }]);
    expect(living.supervised.pid).not.toBe(first);
  });

  it('Q3: that lost its place is started again; that ended because it was asked to stays down', async () => {
    const lost = new Process('process.exit(75)');
    await lost.ended(3);
    expect(lost.ends[0]).toEqual({ exit: { code: 75, signal: null }, pauseMs: 1 });
    const asked = new Process(`process.on('SIGTERM', () => process.exit(0)); ${LIVES}`);
    await asked.said('up');
    asked.supervised.kill('SIGTERM');
    await asked.ended(1);
    expect(asked.ends).toEqual([{ exit: { code: 0, signal: null }, pauseMs: undefined }]);
    expect(asked.supervised.pid).toBeUndefined();
  });

  it('that ends at once pauses longer and longer, and briefly again once it has lived', async () => {
    const crashing = new Process('process.exit(1)', { firstMs: 1, maxMs: 8, steadyMs: 60_000 });
    await crashing.ended(6);
    expect(crashing.ends.slice(0, 6).map(({ pauseMs }) => pauseMs)).toEqual([1, 2, 4, 8, 8, 8]);
    const living = new Process('process.exit(1)', { firstMs: 1, maxMs: 8, steadyMs: 0 });
    await living.ended(3);
    expect(living.ends.slice(0, 3).map(({ pauseMs }) => pauseMs)).toEqual([1, 1, 1]);
  });

  it('that can not be started at all says why, and is tried again', async () => {
    const lines: string[] = [];
    const ends: Exit[] = [];
    const listener = { said: (line: string) => void lines.push(line), ended: (exit: Exit) => void ends.push(exit) };
    const nobody = new Supervised({ file: '/no/such/program', args: [], env: {} }, listener, NO_PAUSE);
    nobody.start();
    await until(LONG_MS, 'two starts', () => ends.length >= 2);
    await nobody.stop(0);
    expect([lines[0], ends[0]]).toEqual([expect.stringContaining('ENOENT'), { code: 127, signal: null }]);
  });
});

describe('to stop it', () => {
  it('waits for what it still has to do, and for what it still has to say', async () => {
    const draining = new Process(`
      process.on('SIGTERM', () => setTimeout(() => { console.log('saved'); process.exit(0); }, 300));
      ${LIVES}`);
    await draining.said('up');
    expect(await draining.supervised.stop(LONG_MS)).toEqual({ code: 0, signal: null });
    expect(draining.lines).toEqual(['up', 'saved']);
  });

  it('kills it when it does not end within its grace', async () => {
    const hung = new Process(`process.on('SIGTERM', () => console.log('no')); ${LIVES}`);
    await hung.said('up');
    expect(await hung.supervised.stop(100)).toEqual({ code: null, signal: 'SIGKILL' });
    expect(hung.ends).toEqual([{ exit: { code: null, signal: 'SIGKILL' }, pauseMs: undefined }]);
  });

  it('in a pause means that it is not started again', async () => {
    const crashing = new Process(`console.log('up'); process.exit(1)`, { firstMs: 200, maxMs: 200, steadyMs: 0 });
    await crashing.ended(1);
    await crashing.supervised.stop(LONG_MS);
    // Another one with the same pause has begun again by then.
    const other = new Process(`console.log('up'); process.exit(1)`, { firstMs: 200, maxMs: 200, steadyMs: 0 });
    await other.said('up', 2);
    expect(crashing.count('up')).toBe(1);
  });

  it('is not what a signal to the terminal does: it has a group of its own', async () => {
    const living = new Process(LIVES);
    await living.said('up');
    // A group with the number of the process: only its leader has one.
    expect(process.kill(-living.supervised.pid!, 0)).toBe(true);
  });
});
