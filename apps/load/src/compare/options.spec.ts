import { describe, expect, it } from 'vitest';
import { CommandError } from '../command.js';
import { help, readOptions } from './options.js';

const NOW = new Date('2030-01-02T03:04:05.678Z');

function worksOf(...args: readonly string[]): readonly string[] {
  return readOptions(args, NOW).works.map(({ name }) => name);
}

describe('the options of a comparison', () => {
  it('are all works but the ladder, five rounds, and a folder named after the time', () => {
    expect(worksOf()).toEqual(['acks', 'latency', 'hot-board', 'reads', 'reconnect']);
    expect(readOptions([], NOW)).toMatchObject({
      rounds: 5,
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

  it.each([
    [['--only', 'acks,typing'], '--only knows acks, latency, hot-board, reads, reconnect, ladder, not "typing"'],
    [['--systems', 'echo,redis'], '--systems knows echo, stateless, homeport, pinned, relayed, not "redis"'],
    [['--rounds', '0'], '--rounds must be a whole number from 1 to 1000, not "0"'],
    [['--rounds', 'many'], '--rounds must be a whole number from 1 to 1000, not "many"'],
  ])('refuse what makes no sense: %s', (args, line) => {
    expect(() => readOptions(args, NOW)).toThrow(new CommandError(line));
  });

  it('refuse what they do not know, and what is too much', () => {
    expect(() => readOptions(['--fast'], NOW)).toThrow(/'--fast'/);
    expect(() => readOptions(['acks'], NOW)).toThrow(/'acks'/);
  });

  it('are all told in the help', () => {
    for (const name of ['--quick', '--rounds', '--only', '--systems', '--ladder', '--out', ...worksOf('--ladder')])
      expect(help()).toContain(name);
  });
});
