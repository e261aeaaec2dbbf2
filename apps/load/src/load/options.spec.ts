import { describe, expect, it } from 'vitest';
import { CommandError } from '../command.js';
import { boards } from '../scenarios/boards.js';
import { failover } from '../scenarios/failover.js';
import { hang } from '../scenarios/hang.js';
import { SCENARIOS } from '../scenarios/all.js';
import { load } from './load.js';
import { assertFilesEnough } from './open-files.js';
import { readOptions } from './options.js';

function refusal(scenario: (typeof SCENARIOS)[number], ...args: string[]): string {
  try {
    readOptions(scenario, args);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('the options of a load run', () => {
  it('are what the scenario has, if nothing is said', () => {
    const { sizes, seconds, nodes, urls } = readOptions(boards, []);
    expect(sizes).toMatchObject({ boards: 50, people: 4, rate: 5 });
    expect({ seconds, nodes, urls }).toEqual({ seconds: 30, nodes: 1, urls: [] });
  });

  it('take rates that are not whole, and counts that are', () => {
    expect(readOptions(boards, ['--rate', '0.5', '--boards', '7']).sizes).toMatchObject({ rate: 0.5, boards: 7 });
    expect(refusal(boards, '--boards', '1.5')).toBe('--boards must be a whole number from 1 to 10000000');
    expect(refusal(boards, '--boards', '')).toContain('--boards');
    expect(refusal(boards, '--relayed', '50')).toBe(
      '--relayed needs a node that is not the owner: say --nodes 2 or more',
    );
    expect(refusal(boards, '--relayed', '50', '--nodes', '2')).toBe('');
    expect(refusal(boards, '--relayed', '101')).toBe('--relayed must be a whole number from 0 to 100');
    expect(refusal(boards, '--rate', 'fast')).toContain('--rate must be a number');
    for (const scenario of [hang, failover])
      expect(refusal(scenario, '--nodes', '1')).toContain('--nodes must be a whole number from 2');
  });

  it('are refused in one line where they are not known', () => {
    expect(refusal(boards, '--bords', '3')).toContain("'--bords'");
    expect(refusal(boards, '--all', '1')).toContain("'--all'");
  });

  it('never load a machine that nobody said is theirs', () => {
    expect(refusal(boards, '--url', 'http://example.com')).toContain('--i-own-this-system');
    expect(refusal(boards, '--url', 'http://localhost.example.com')).toContain('--i-own-this-system');
    expect(refusal(boards, '--url', 'http://127.0.0.1:1', '--url', 'http://10.0.0.7')).toContain('10.0.0.7');
    const urls = ['http://127.0.0.1:3000', 'http://[::1]:3000', 'http://localhost'];
    expect(
      readOptions(
        boards,
        urls.flatMap((url) => ['--url', url]),
      ).urls,
    ).toEqual(urls);
    expect(readOptions(boards, ['--url', 'https://example.com/x', '--i-own-this-system']).urls).toEqual([
      'https://example.com',
    ]);
    expect(refusal(boards, '--url', 'localhost:3000')).toContain('--url must be an address');
  });

  it('break no servers but their own', () => {
    for (const scenario of SCENARIOS.filter(({ breaks }) => breaks))
      expect(refusal(scenario, '--url', 'http://localhost:3000')).toContain('leave out --url');
    expect(refusal(failover)).toBe('');
    expect(refusal(boards, '--url', 'http://localhost:3000', '--nodes', '2')).toContain('leave out one');
    expect(refusal(boards, '--token', 'x')).toContain('--url');
  });

  it('ask for no more open files than there are', () => {
    expect(() => assertFilesEnough(50_000_000, 1, true)).toThrow(CommandError);
    expect(() => assertFilesEnough(50_000_000, 2, false)).toThrow('`ulimit -n 25000200`');
    expect(() => assertFilesEnough(1, 1, true)).not.toThrow();
  });
});

describe('the help of a load run', () => {
  it('names every scenario, and each has all of its own options', () => {
    for (const { name, says, sizes } of SCENARIOS) {
      expect(load.help([])).toContain(`${name.padEnd(18)}${says}`);
      for (const size of Object.keys(sizes)) expect(load.help([name, '--help'])).toContain(`--${size} `);
    }
  });

  it('says in one line which scenarios there are', async () => {
    await expect(load.run(['nosuch'])).rejects.toThrow(/^"nosuch" is not a scenario: boards, hot-board, /);
    await expect(load.run([])).rejects.toThrow(/^say which scenario: /);
  });
});
