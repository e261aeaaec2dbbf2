import { LIMITS, type Handshake } from '@homeport/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../test/fake-clock.js';
import { SeededRandom } from '../test/seeded-random.js';
import { Connection, HELLO_MS, type Address } from './connection.js';
import type { ConnectionState } from './connection-state.js';
import type { Dialer, SocketEvents } from './dialer.js';
import { Tokens, TOKEN_FETCH_MS, type TokenFunction } from './tokens.js';

interface Dialed {
  readonly url: string;
  readonly handshake: Handshake;
  readonly events: SocketEvents;
  closed: boolean;
}

class Bench {
  readonly clock = new FakeClock();
  readonly dialed: Dialed[] = [];
  readonly states: ConnectionState['at'][] = [];
  opened = 0;
  ended = 0;
  received: string[] = [];
  readonly connection: Connection;

  constructor(token?: string | TokenFunction, address: Address = { url: 'http://n' }) {
    const { clock } = this;
    const random = new SeededRandom(1);
    const dialer: Dialer = {
      dial: (url, handshake, events) => {
        const dialed: Dialed = { url, handshake, events, closed: false };
        this.dialed.push(dialed);
        return { send: () => undefined, request: () => undefined, close: () => void (dialed.closed = true) };
      },
    };
    this.connection = new Connection(address, {
      clock,
      random,
      dialer,
      tokens: new Tokens(token, { clock, random, failed: () => undefined }),
      session: () => 's',
      changed: (state) => this.states.push(state.at),
      opened: () => this.opened++,
      received: (_channel, event) => this.received.push(event),
      ended: () => this.ended++,
    });
  }

  get last(): Dialed {
    return this.dialed.at(-1)!;
  }

  hello(dialed = this.last, name = 'n'): void {
    const node = { id: name, name, url: '' };
    dialed.events.message('hello', { node, session: 's', user: 'u', protocol: 1, limits: LIMITS });
  }

  async dialAgain(): Promise<void> {
    const before = this.dialed.length;
    for (let i = 0; i < 400 && this.dialed.length === before; i++) await this.clock.advance(100);
    expect(this.dialed.length).toBe(before + 1);
  }
}

describe('the connection', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = new Bench('token');
    bench.connection.start();
    await bench.clock.settle();
  });

  it('dials with the token, the session and the version, and is live at hello', () => {
    expect(bench.last.handshake).toEqual({ protocol: 1, session: 's', token: 'token' });
    bench.hello();
    expect(bench.states).toEqual(['fetching', 'dialing', 'live']);
    expect(bench.opened).toBe(1);
  });

  it('hears nothing before hello', () => {
    bench.last.events.message('entries', {});
    bench.hello();
    bench.last.events.message('entries', {});
    expect(bench.received).toEqual(['entries']);
  });

  it('gives up a dial that brings no hello within a second, and closes its socket', async () => {
    await bench.clock.advance(HELLO_MS);
    expect(bench.connection.state.at).toBe('waiting');
    expect(bench.last.closed).toBe(true);
    await bench.dialAgain();
  });

  it('is not ended by a late close or a late hello of an old socket', async () => {
    const old = bench.last;
    old.events.lost();
    await bench.dialAgain();
    bench.hello(old);
    expect(bench.opened).toBe(0);
    bench.hello();
    old.events.lost();
    old.events.refused({ code: 'unsupported_protocol', message: '' });
    old.events.message('entries', {});
    expect(bench.connection.state.at).toBe('live');
    expect([bench.opened, bench.ended, bench.received]).toEqual([1, 0, []]);
  });

  it('ends the channel once when the socket is lost, and dials again', async () => {
    bench.hello();
    bench.last.events.lost();
    bench.last.events.lost();
    expect(bench.ended).toBe(1);
    await bench.dialAgain();
  });

  it('stops where the version is refused', async () => {
    bench.last.events.refused({ code: 'unsupported_protocol', message: 'too old' });
    await bench.clock.advance(600_000);
    expect(bench.connection.state).toMatchObject({ at: 'stopped', why: { code: 'unsupported_protocol' } });
    expect(bench.dialed.length).toBe(1);
  });

  it('stops where a token is refused that can not be renewed', () => {
    bench.last.events.refused({ code: 'unauthenticated', message: 'expired' });
    expect(bench.connection.state.at).toBe('stopped');
  });

  it('comes back when a server that has no room says so, not sooner', async () => {
    bench.last.events.refused({ code: 'unavailable', message: 'too many', retryAfterMs: 5_000 });
    await bench.clock.advance(4_999);
    expect(bench.dialed.length).toBe(1);
    await bench.clock.advance(1_251);
    expect(bench.dialed.length).toBe(2);
  });

  it('dials again soon after a good connection broke', async () => {
    bench.hello();
    await bench.clock.advance(10_000);
    bench.last.events.lost();
    await bench.clock.advance(100);
    expect(bench.dialed.length).toBe(2);
  });

  it('takes a refusal that it does not know for a passing one', async () => {
    bench.last.events.refused('what?');
    await bench.dialAgain();
  });

  it('tries at once when the network is back', async () => {
    for (let i = 0; i < 12; i++) {
      bench.last.events.lost();
      if (i < 11) await bench.dialAgain();
    }
    bench.connection.wake();
    await bench.clock.settle();
    expect(bench.connection.state.at).toBe('dialing');
  });

  it('does nothing any more once closed', async () => {
    bench.hello();
    bench.connection.close();
    expect(bench.last.closed).toBe(true);
    await bench.clock.advance(60_000);
    expect(bench.dialed.length).toBe(1);
  });
});

describe('a connection to one node among many at an address', () => {
  it('asks for it by name, and says when another one answers', async () => {
    const bench = new Bench('token', { url: 'http://balancer', node: 'n' });
    bench.connection.start();
    await bench.clock.settle();
    expect(bench.last.url).toBe('http://balancer/?node=n');
    bench.hello();
    expect([bench.connection.isAstray, bench.connection.node?.name]).toEqual([false, 'n']);
    bench.last.events.lost();
    await bench.dialAgain();
    bench.hello(bench.last, 'm');
    expect([bench.connection.isAstray, bench.connection.node?.name]).toEqual([true, 'm']);
  });
});

describe('the connection and its tokens', () => {
  it('fetches a new token when one is refused, on the dial and on the open socket', async () => {
    let made = 0;
    const bench = new Bench(() => `token-${++made}`);
    bench.connection.start();
    await bench.clock.settle();
    bench.last.events.refused({ code: 'unauthenticated', message: '' });
    await bench.dialAgain();
    expect(bench.last.handshake.token).toBe('token-2');
    bench.hello();
    bench.connection.unauthenticated('expired');
    await bench.dialAgain();
    expect(bench.last.handshake.token).toBe('token-3');
  });

  it('keeps a token that works over reconnects', async () => {
    let made = 0;
    const bench = new Bench(() => `token-${++made}`);
    bench.connection.start();
    await bench.clock.settle();
    bench.hello();
    bench.last.events.lost();
    await bench.dialAgain();
    expect(bench.last.handshake.token).toBe('token-1');
  });

  it('goes on trying when fetches fail or hang: nothing stalls for ever', async () => {
    const fetches: (() => Promise<string>)[] = [
      () => Promise.reject(new Error('no')),
      () => new Promise(() => undefined),
      () => Promise.resolve('late'),
    ];
    let made = 0;
    const bench = new Bench(() => fetches[made++]!());
    bench.connection.start();
    await bench.clock.advance(TOKEN_FETCH_MS + 5_000);
    expect(bench.last.handshake.token).toBe('late');
  });

  it('renews the token on the open socket before it ends', async () => {
    const clock = new FakeClock();
    const random = new SeededRandom(1);
    const jwt = (lifeMs: number): string => `h.${btoa(JSON.stringify({ exp: (clock.wallMs() + lifeMs) / 1000 }))}.s`;
    const asked: string[] = [];
    const tokens = new Tokens(() => jwt(600_000), { clock, random, failed: () => undefined });
    await tokens.current();
    const channel = {
      request: (_event: string, { token }: { token: string }, answer: (reply: object) => void) => {
        asked.push(token);
        answer({ ok: true, expiresAt: clock.wallMs() + 600_000 });
      },
    };
    const stop = tokens.keepFresh(channel as never, () => undefined);
    await clock.advance(539_000);
    expect(asked.length).toBe(0);
    await clock.advance(1_000);
    expect(asked.length).toBe(1);
    await clock.advance(540_000);
    expect(asked.length).toBe(2);
    stop();
    await clock.advance(3_600_000);
    expect(asked.length).toBe(2);
  });
});
