import { describe, expect, it } from 'vitest';
import { CommandError } from '../command.js';
import { help, readOptions } from './options.js';
import type { Work } from './work.js';

const NOW = new Date('2030-01-02T03:04:05.678Z');

function worksOf(...args: readonly string[]): readonly string[] {
  return readOptions(args, NOW).works.map(({ name }) => name);
}

describe('the options of a comparison', () => {
  it('are all works but the ladder, five rounds, 1,000 pushes/s, and a folder named after the time', () => {
    expect(worksOf()).toEqual(['acks', 'latency', 'hot-board', 'large-document', 'reads', 'reconnect']);
    expect(readOptions([], NOW)).toMatchObject({
      rounds: 5,
      rate: 1_000,
      quick: false,
      folder: '.homeport/load/compare-2030-01-02T03-04-05',
    });
  });

  it('are one round when it is quick, unless it is said how many', () => {
    expect(readOptions(['--quick'], NOW)).toMatchObject({ quick: true, rounds: 1 });
    expect(readOptions(['--quick', '--rounds', '3'], NOW).rounds).toBe(3);
  });

  it('choose works, in the order in which they are always played', () => {
    expect(worksOf('--only', 'reads, acks')).toEqual(['acks', 'reads']);
    expect(worksOf('--only', 'reads', '--ladder')).toEqual(['reads', 'ladder']);
    expect(worksOf('--only', 'ladder', '--ladder')).toEqual(['ladder']);
  });

  it('choose systems in the same way', () => {
    expect(readOptions([], NOW).systems).toEqual(['echo', 'stateless', 'homeport', 'pinned', 'relayed']);
    expect(readOptions(['--systems', 'homeport,echo'], NOW).systems).toEqual(['echo', 'homeport']);
  });

  it('leave out a work that none of the systems has turns at', () => {
    expect(worksOf('--systems', 'echo,stateless')).toEqual(['acks', 'latency', 'hot-board', 'reads', 'reconnect']);
    expect(worksOf('--systems', 'echo,relayed')).toContain('large-document');
  });

  it('say at which rate latencies are measured; targets are of 1,000/s', () => {
    const latencyAt = (...args: readonly string[]) => {
      const { works, rate } = readOptions(['--only', 'latency', ...args], NOW);
      const [{ says, figures }] = works as readonly [Work];
      const targets = figures.flatMap(({ pairings }) => pairings.flatMap(({ target }) => target?.says ?? []));
      return { rate, says, targets };
    };
    expect(latencyAt()).toMatchObject({ rate: 1_000, targets: ['≤ 0.5 ×', 'at most 3 ms more', 'itself ≤ 10 ms'] });
    const says = expect.stringContaining('at 4,000 pushes/s') as string;
    expect(latencyAt('--rate', '4000')).toEqual({ rate: 4_000, says, targets: [] });
  });

  it.each([
    [
      ['--only', 'acks,typing'],
      '--only knows acks, latency, hot-board, large-document, reads, reconnect, ladder, not "typing"',
    ],
    [
      ['--only', 'large-document', '--systems', 'echo'],
      '--only knows acks, latency, hot-board, reads, reconnect, ladder, not "large-document"',
    ],
    [['--systems', 'echo,redis'], '--systems knows echo, stateless, homeport, pinned, relayed, not "redis"'],
    [['--rounds', '0'], '--rounds must be a whole number from 1 to 1000, not "0"'],
    [['--rate', '0.5'], '--rate must be a whole number from 1 to 100000, not "0.5"'],
    [['--rate', '4000', '--only', 'acks'], '--rate is that of latency: leave it out, or name latency in --only'],
    [['--rounds', 'many'], '--rounds must be a whole number from 1 to 1000, not "many"'],
  ])('refuse what makes no sense: %s', (args, line) => {
    expect(() => readOptions(args, NOW)).toThrow(new CommandError(line));
  });

  it('refuse what they do not know, and what is too much', () => {
    expect(() => readOptions(['--fast'], NOW)).toThrow(/'--fast'/);
    expect(() => readOptions(['acks'], NOW)).toThrow(/'acks'/);
  });

  it('are all told in the help', () => {
    for (const name of [
      '--quick',
      '--rounds',
      '--rate',
      '--only',
      '--systems',
      '--ladder',
      '--out',
      ...worksOf('--ladder'),
    ])
      expect(help()).toContain(name);
  });
});
