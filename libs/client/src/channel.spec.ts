import { LIMITS, type Hello } from '@homeport/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../test/fake-clock.js';
import { Channel, SILENCE_MS } from './channel.js';

const hello: Hello = { node: { id: 'n', name: 'n', url: '' }, session: 's', user: 'u', protocol: 1, limits: LIMITS };

describe('a channel', () => {
  let clock: FakeClock;
  let channel: Channel;
  let silences: number;
  let sent: string[];
  let answers: ((reply: unknown) => void)[];

  beforeEach(() => {
    clock = new FakeClock();
    [silences, sent, answers] = [0, [], []];
    const socket = {
      send: (event: string) => void sent.push(event),
      request: (event: string, _message: object, answer: (reply: unknown) => void) => {
        sent.push(event);
        answers.push(answer);
      },
      close: () => undefined,
    };
    channel = new Channel(hello, socket, clock, () => silences++);
  });

  const ask = (told: unknown[] = []): void =>
    channel.request('close', { document: 'd' }, (reply) => void told.push(reply));

  it('hears silence after 2 s without any message while something is unanswered', async () => {
    ask();
    await clock.advance(SILENCE_MS - 1);
    expect(silences).toBe(0);
    await clock.advance(1);
    expect(silences).toBe(1);
  });

  it('goes on waiting as long as the owner says anything: a slow database is no dead owner', async () => {
    ask();
    for (let i = 0; i < 20; i++) {
      await clock.advance(1_000);
      channel.heard();
    }
    expect(silences).toBe(0);
    await clock.advance(SILENCE_MS);
    expect(silences).toBe(1);
  });

  it('expects nothing when everything is answered', async () => {
    ask();
    answers[0]!({ ok: true });
    await clock.advance(60_000);
    expect(silences).toBe(0);
  });

  it('counts an answer once', async () => {
    const told: unknown[] = [];
    ask(told);
    ask();
    answers[0]!({ ok: true });
    answers[0]!({ ok: true });
    expect(told.length).toBe(1);
    await clock.advance(SILENCE_MS);
    expect(silences).toBe(1);
  });

  it('sends nothing and hears nothing after its end', async () => {
    const told: unknown[] = [];
    ask(told);
    channel.end();
    ask(told);
    channel.send('presence', { document: 'd', state: null });
    answers[0]!({ ok: true });
    await clock.advance(60_000);
    expect([sent, told, silences]).toEqual([['close'], [], 0]);
  });
});
