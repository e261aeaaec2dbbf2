import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Moment } from '../load/run-result.js';
import { LiveView } from './live-view.js';
import { FakeTerminal } from '../../test/fake-terminal.js';

const moment = (second: number, over: Partial<Moment['kinds'][number]> = {}): Moment => ({
  atMs: second * 1_000,
  kinds: [
    { kind: 'push', perSecond: 12_345, errorsPerSecond: 0, p50: 1.234, p99: 8.4, ...over },
    { kind: 'read', perSecond: 500 + second * 10, errorsPerSecond: 0, p50: 0.5, p99: 2 },
  ],
});

beforeEach(() => {
  for (const name of ['NO_COLOR', 'CI']) vi.stubEnv(name, '');
  vi.stubEnv('TERM', 'xterm-256color');
});
afterEach(() => vi.unstubAllEnvs());

describe('on a terminal', () => {
  it('draws one block again in place: bar, time left, note, and a line per kind', () => {
    const terminal = new FakeTerminal(100, 24);
    const view = new LiveView(terminal.stream, 'boards', 60_000);
    for (let second = 1; second <= 15; second++)
      view.show(moment(second), { atMs: second * 1_000, note: 'killing node-2' });
    expect(terminal.screen).toEqual([
      expect.stringMatching(/^boards {2}━{40} {3}25 % {2}0:45 left$/),
      'killing node-2',
      '         per s       p50       p99    errors  last minute',
      expect.stringMatching(/^push {4}12,345 {3}1\.23 ms {4}8\.4 ms {9}0 {2}█{15}$/),
      expect.stringMatching(/^read {7}650 {4}0\.5 ms {6}2 ms {9}0 {2}[▆▇█]{15}$/),
      '',
    ]);
    expect(terminal.isCursorShown).toBe(false);
  });

  it('ends with its lines alone, and with a cursor', () => {
    const terminal = new FakeTerminal(100, 24);
    const listeners = process.listenerCount('exit');
    const view = new LiveView(terminal.stream, 'boards', 60_000);
    view.show(moment(1), { atMs: 1_000 });
    view.end(['12 boards', 'nothing is wrong']);
    expect(terminal.screen).toEqual(['12 boards', 'nothing is wrong', '']);
    expect(terminal.isCursorShown).toBe(true);
    expect(process.listenerCount('exit')).toBe(listeners);
  });

  it('at every width no line is wrapped, and the block stays one block', () => {
    for (let columns = 1; columns <= 120; columns++) {
      const terminal = new FakeTerminal(columns, 24);
      const view = new LiveView(terminal.stream, 'boards', 60_000);
      for (const second of [1, 2, 3]) view.show(moment(second), { atMs: second * 1_000, note: 'x'.repeat(200) });
      expect(terminal.screen.length, `${columns} columns`).toBe(6);
      view.end([]);
    }
  });

  it('a terminal that is made narrower while it runs keeps nothing of the wider block', () => {
    const terminal = new FakeTerminal(110, 24);
    const view = new LiveView(terminal.stream, 'boards', 60_000);
    view.show(moment(1), { atMs: 1_000 });
    terminal.resize(30);
    view.show(moment(2), { atMs: 2_000 });
    expect(terminal.screen.length).toBe(6);
    view.end([]);
  });

  it('is never higher than the terminal', () => {
    const terminal = new FakeTerminal(80, 4);
    const view = new LiveView(terminal.stream, 'boards', 60_000);
    for (const second of [1, 2, 3]) view.show(moment(second), { atMs: second * 1_000 });
    expect(terminal.scrolled).toBe(0);
    view.end([]);
  });

  it('a note that tries to move the cursor is text', () => {
    const terminal = new FakeTerminal(80, 24);
    const view = new LiveView(terminal.stream, 'boards', 60_000);
    view.show(moment(1), { atMs: 1_000, note: 'a\x1b[2J\nb' });
    expect(terminal.screen[1]).toBe('a [2J b');
    view.end([]);
  });

  it('where nothing was answered there is no latency', () => {
    const terminal = new FakeTerminal(100, 24);
    const view = new LiveView(terminal.stream, 'boards', 60_000);
    view.show(moment(1, { perSecond: 0, errorsPerSecond: 3, p50: 0, p99: 0 }), { atMs: 1_000 });
    expect(terminal.screen[3]).toMatch(/^push {9}0 {9}– {9}– {9}3 /);
    view.end([]);
  });

  it('past its time it says that it is finishing', () => {
    const terminal = new FakeTerminal(80, 24);
    const view = new LiveView(terminal.stream, 'boards', 60_000);
    view.show(moment(61), { atMs: 61_000 });
    expect(terminal.screen[0]).toMatch(/100 % {2}finishing$/);
    view.end([]);
  });
});

describe('without a terminal', () => {
  const plain = (): { readonly stream: NodeJS.WriteStream; readonly written: string[] } => {
    const written: string[] = [];
    const write = (text: string): boolean => written.push(text) > 0;
    return { stream: Object.assign(new EventEmitter(), { write }) as unknown as NodeJS.WriteStream, written };
  };

  it('tells a line every 5 s, and at once when there is a note', () => {
    const { stream, written } = plain();
    const view = new LiveView(stream, 'boards', 60_000);
    for (let second = 0; second <= 8; second++) {
      const note = second >= 7 ? { note: 'killing node-2' } : {};
      view.show(moment(second, { errorsPerSecond: second === 7 ? 3 : 0 }), { atMs: second * 1_000, ...note });
    }
    view.end(['nothing is wrong']);
    expect(written).toEqual([
      'boards 0:00/1:00  push 12,345/s p50 1.23 ms p99 8.4 ms  read 500/s p50 0.5 ms p99 2 ms\n',
      'boards 0:05/1:00  push 12,345/s p50 1.23 ms p99 8.4 ms  read 550/s p50 0.5 ms p99 2 ms\n',
      'boards 0:07/1:00  push 12,345/s p50 1.23 ms p99 8.4 ms errors 3/s  read 570/s p50 0.5 ms p99 2 ms  killing node-2\n',
      'nothing is wrong\n',
    ]);
  });

  it('tells no latency where nothing was answered', () => {
    const { stream, written } = plain();
    new LiveView(stream, 'boards', 60_000).show(moment(0, { perSecond: 0, errorsPerSecond: 3, p50: 0 }), { atMs: 0 });
    expect(written[0]).toContain('  push 0/s errors 3/s  read');
  });

  it.each(['NO_COLOR', 'CI'])('a terminal where %s is set gets plain lines', (name) => {
    vi.stubEnv(name, '1');
    const terminal = new FakeTerminal(100, 24);
    const view = new LiveView(terminal.stream, 'boards', 60_000);
    view.show(moment(1), { atMs: 1_000 });
    view.end([]);
    expect(terminal.written).not.toContain('\x1b');
    expect(terminal.written).toMatch(/^boards 0:01\/1:00 {2}push/);
  });
});
