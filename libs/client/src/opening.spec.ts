import { beforeEach, describe, expect, it } from 'vitest';
import type { Channel } from './channel.js';
import { Opening } from './opening.js';

describe('an opening', () => {
  let asked: { message: object; answer: (reply: object) => void }[];
  let told: string[];
  let opening: Opening;

  beforeEach(() => {
    [asked, told] = [[], []];
    const channel = {
      request: (_event: string, message: object, answer: (reply: object) => void) => asked.push({ message, answer }),
    };
    opening = new Opening(
      channel as unknown as Channel,
      { document: 'd' },
      {
        head: () => told.push('head') > 0,
        page: () => told.push('page'),
        refused: ({ code }) => told.push(code),
      },
    );
  });

  it('asks for one page after the other', () => {
    asked[0]!.answer({ ok: true, next: 7 });
    asked[1]!.answer({ ok: true, next: 8 });
    asked[2]!.answer({ ok: true });
    expect(asked.map(({ message }) => message)).toEqual([
      { document: 'd' },
      { document: 'd', next: 7 },
      { document: 'd', next: 8 },
    ]);
    expect(told).toEqual(['head', 'page', 'page']);
  });

  it('is silent after its end: a newer opening of the same document is under way', () => {
    opening.end();
    asked[0]!.answer({ ok: true, next: 7 });
    expect([told, asked.length]).toEqual([[], 1]);
  });

  it('tells a refusal', () => {
    asked[0]!.answer({ ok: false, code: 'forbidden', message: '' });
    expect(told).toEqual(['forbidden']);
  });
});
