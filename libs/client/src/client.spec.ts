import type { Seq } from '@homeport/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { Rig } from '../test/rig.js';
import type { Board } from './board.js';
import type { Client } from './client.js';
import type { HomeportError } from './homeport-error.js';
import type { BoardStatus } from './status.js';

describe('a client', () => {
  let rig: Rig;
  let client: Client;
  let board: Board;

  beforeEach(async () => {
    rig = new Rig();
    client = rig.client();
    board = await rig.open(client);
  });

  const saved = (which = board): Promise<void> => rig.until('all is saved', () => which.status.pending === 0);

  it('C6: shows a write at once and resolves it when it is committed', async () => {
    let seq = 0;
    void board.put('a', { x: 1 }).then(({ position }) => (seq = position.seq));
    expect(board.get('a')).toEqual({ x: 1 });
    expect(board.status.pending).toBe(1);
    await saved();
    await rig.clock.settle();
    expect(seq).toBe(1);
    expect(board.status).toMatchObject({ connection: 'live', pending: 0, access: 'write', position: { seq: 1 } });
    expect(board.ackSamples.length).toBe(1);
  });

  it('types keys, values and fields', async () => {
    type Records = {
      [shape: `shape:${string}`]: { x: number; label?: string; points: number[] };
      background: string;
    };
    const typed = await rig.open<Records>(client, 'typed');
    void typed.put('shape:1', { x: 1, points: [] });
    void typed.patch('shape:1', { label: 'one' }, { unset: ['label'] });
    void typed.increment('shape:1', 'x', 2);
    void typed.append('shape:1', 'points', [1, 2]);
    // @ts-expect-error a field that is no number
    void typed.increment('shape:1', 'label');
    // @ts-expect-error a key that does not exist
    typed.get('nothing');
    const x: number | undefined = typed.get('shape:1')?.x;
    expect(x).toBe(3);
  });

  it('copies what is written', async () => {
    const shape = { x: 1 };
    void board.put('a', shape);
    shape.x = 2;
    await saved();
    expect(board.get('a')).toEqual({ x: 1 });
    expect(rig.server.document('board').records.get('a')?.value).toEqual({ x: 1 });
  });

  it('sends a drag as one push per frame, and merges what waits offline', async () => {
    await rig.until('a first write', () => board.status.pending === 0);
    rig.net.weather = { ...rig.net.weather, reachable: false };
    for (const link of rig.net.links) link.cut();
    await rig.until('offline', () => board.status.connection === 'offline');
    for (let x = 0; x < 1_000; x++) void board.put('a', { x });
    expect(board.status.pending).toBe(1);
    rig.net.weather = { ...rig.net.weather, reachable: true };
    await saved();
    expect(rig.server.document('board').log.length).toBe(1);
  });

  it('C4: rolls a refused write back and rejects it with its code, the key and what is there', async () => {
    void board.put('a', 1);
    const refused: HomeportError[] = [];
    board.put('a', 2, { if: { absent: true } }).catch((error: HomeportError) => refused.push(error));
    await rig.until('the refusal', () => refused.length > 0);
    expect(refused[0]).toMatchObject({ code: 'conflict', key: 'a', current: 1 });
    expect(board.get('a')).toBe(1);
    expect(rig.errors).toEqual([]);
  });

  it('tells `onError` of a refusal that nobody awaits', async () => {
    void board.put('a', 1);
    void board.put('a', 2, { if: { absent: true } });
    await rig.until('the error is told', () => rig.errors.length > 0);
    expect(rig.errors).toEqual(['conflict']);
  });

  it('refuses by itself what the server would refuse in any case', async () => {
    const codes: string[] = [];
    const note = (error: HomeportError): void => void codes.push(`${error.code} ${error.path ?? error.limit}`);
    board.put('a', Number.NaN).catch(note);
    board.put('', 1).catch(note);
    board.put('a', 'x'.repeat(200_000)).catch(note);
    board.push((tx) => Array.from({ length: 501 }, (_, index) => tx.put(`k${index}`, 1))).catch(note);
    board.push((tx) => ['a', 'b', 'c'].forEach((key) => tx.put(key, 'x'.repeat(100_000)))).catch(note);
    board.push(() => undefined).catch(note);
    await rig.clock.settle();
    expect(codes).toEqual([
      'invalid ops[0].value',
      'invalid ops[0].key',
      'too_large opBytes',
      'too_large opsPerPush',
      'too_large messageBytes',
      'invalid ops',
    ]);
    expect(rig.server.counts.pushes).toBe(0);
    expect(board.records().size).toBe(0);
  });

  it('refuses a record that an append would make too large', async () => {
    void board.put('a', { list: ['x'.repeat(100_000)] });
    const codes: (string | undefined)[] = [];
    board.append('a', 'list', ['x'.repeat(100_000)]).catch((error: HomeportError) => codes.push(error.limit));
    await rig.clock.settle();
    expect(codes).toEqual(['recordBytes']);
  });

  it('refuses writes locally where one may only read', async () => {
    rig.server.access = 'read';
    const reader = await rig.open(rig.client('eve'));
    let code = '';
    reader.put('a', 1).catch((error: HomeportError) => (code = error.code));
    await rig.clock.settle();
    expect([code, reader.status.access, reader.get('a')]).toEqual(['forbidden', 'read', undefined]);
  });

  it('tells where a change came from', async () => {
    const seen: string[] = [];
    board.subscribe(({ keys, origin }) => seen.push(`${origin} ${[...keys].join()}`));
    const other = await rig.open(rig.client('bob'));
    void board.put('mine', 1);
    await saved();
    await rig.until('the frame', () => seen.length === 2);
    void other.put('theirs', 1);
    await rig.until('the change', () => board.get('theirs') === 1);
    expect(seen).toEqual(['local mine', 'rebase mine', 'remote theirs']);
  });

  it('goes on when a listener throws, and tells it', async () => {
    board.subscribe(() => {
      throw new Error('oops');
    });
    const seen: unknown[] = [];
    board.subscribe(({ keys }) => seen.push(keys));
    void board.put('a', 1);
    expect(seen.length).toBe(1);
    expect(rig.errors.length).toBe(1);
  });

  it('keeps status objects until something in them changed', async () => {
    const seen: BoardStatus[] = [];
    board.subscribeStatus((status) => seen.push(status));
    const before = board.status;
    await rig.clock.advance(10_000);
    expect(board.status).toBe(before);
    void board.put('a', 1);
    await saved();
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((status, index) => status !== seen[index - 1])).toBe(true);
  });

  it('C9: flushes what was written before, and says so when some of it was refused', async () => {
    const done: string[] = [];
    void board.put('a', 1);
    board.flush().then(
      () => done.push('ok'),
      () => done.push('no'),
    );
    await rig.until('flushed', () => done.length === 1);
    board.put('a', 2, { if: { absent: true } }).catch(() => undefined);
    board.flush().then(
      () => done.push('ok'),
      (error: HomeportError) => done.push(error.code),
    );
    await rig.until('flushed again', () => done.length === 2);
    expect(done).toEqual(['ok', 'conflict']);
  });

  it('rejects what is pending when it is closed, and never uses a number twice in a session', async () => {
    const codes: string[] = [];
    void board.put('a', 1);
    await saved();
    board.put('b', 1).catch((error: HomeportError) => codes.push(error.code));
    await rig.clock.settle();
    board.close();
    board.put('c', 1).catch((error: HomeportError) => codes.push(error.code));
    await rig.clock.settle();
    expect(codes).toEqual(['closed', 'closed']);
    expect(board.status.connection).toBe('closed');
    board = await rig.open(client);
    void board.put('d', 1);
    await saved();
    const opNos = rig.server.document('board').log.map(({ opNo }) => opNo);
    expect(new Set(opNos).size).toBe(opNos.length);
    expect(board.get('d')).toBe(1);
  });

  it('opens no document twice, none with a strange name, and none after its signal', async () => {
    await expect(client.open('board')).rejects.toMatchObject({ code: 'invalid' });
    await expect(client.open('no spaces')).rejects.toMatchObject({ code: 'invalid' });
    await expect(client.open('x', { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
    const stop = new AbortController();
    const opening = client.open('y', { signal: stop.signal });
    stop.abort(new Error('left'));
    await expect(opening).rejects.toThrow('left');
  });

  it('ends everything when it is closed', async () => {
    client.close();
    await rig.clock.advance(60_000);
    expect([board.status.connection, client.status.connection]).toEqual(['closed', 'closed']);
    await expect(client.open('z')).rejects.toMatchObject({ code: 'closed' });
    expect(rig.net.dials).toBe(1);
  });

  it('shows the others, through reconnects', async () => {
    const other = await rig.open(rig.client('bob'), 'board', { presence: { name: 'Bob' } });
    board.presence.set({ name: 'Ada' });
    await rig.until('both see each other', () => board.presence.others.size + other.presence.others.size === 2);
    expect([...other.presence.others.values()]).toEqual([{ user: 'ada', state: { name: 'Ada' } }]);
    for (const link of rig.net.links) link.cut();
    await rig.until('both see each other again', () => board.presence.others.size + other.presence.others.size === 2);
  });

  it('stays away with one honest status while the token is refused, and comes back with a good one', async () => {
    let token = 'bad';
    rig.server.tokens = 'refused';
    const late = rig.client(() => token);
    const seen: string[] = [];
    late.subscribeStatus(({ connection }) => seen.push(connection));
    await rig.clock.advance(10_000);
    expect(seen).toEqual(['unauthenticated']);
    expect(rig.errors).toContain('unauthenticated');
    rig.server.tokens = 'any';
    token = 'good';
    await rig.until('live', () => late.status.connection === 'live');
    expect(late.status.user).toBe('good');
  });

  it('is refused for good with a token that can not be renewed', async () => {
    rig.server.tokens = 'refused';
    const late = rig.client('bad');
    await expect(rig.open(late)).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(late.status.connection).toBe('refused');
    await expect(late.open('again')).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('a document that is open', () => {
  it('is opened again where the server asks for it', async () => {
    const rig = new Rig();
    const board = await rig.open(rig.client());
    const { opens } = rig.server.counts;
    rig.server.tell('board', 'resume', { document: 'board' });
    await rig.until('opened again', () => rig.server.counts.opens > opens && board.status.connection === 'live');
  });

  it('tells when it may not be read any more, and comes back when it may', async () => {
    const rig = new Rig();
    const board = await rig.open(rig.client());
    rig.server.tell('board', 'access', { document: 'board', access: 'none' });
    await rig.until('refused', () => board.status.connection === 'refused');
    expect([board.status.access, board.status.error?.code, rig.errors]).toEqual(['none', 'forbidden', ['forbidden']]);
    rig.server.tell('board', 'access', { document: 'board', access: 'read' });
    await rig.until('live', () => board.status.connection === 'live');
  });
});

describe('a session that ends', () => {
  it('W5: gives up what it had sent, says so, and sends the rest under a new id', async () => {
    const rig = new Rig();
    const client = rig.client();
    const board = await rig.open(client);
    const session = client.status.session;
    const outcomes: string[] = [];
    const note = (promise: Promise<unknown>): void =>
      void promise.then(
        () => outcomes.push('ok'),
        (error: HomeportError) => outcomes.push(error.code),
      );
    note(board.put('a', 1));
    await rig.until('saved', () => board.status.pending === 0);
    rig.server.storage = 'away';
    note(board.push((tx) => tx.put('b', 1)));
    await rig.clock.advance(100);
    for (const link of rig.net.links) link.cut();
    await rig.until('offline', () => board.status.connection === 'offline');
    note(board.push((tx) => tx.put('c', 1)));
    rig.server.restart((document) => document.forget());
    rig.server.storage = 'up';
    await rig.until('settled', () => outcomes.length === 3);
    expect(outcomes).toEqual(['ok', 'expired', 'ok']);
    expect(board.status).toMatchObject({ expired: 1, pending: 0 });
    expect(board.get('b')).toBeUndefined();
    expect(client.status.session).not.toBe(session);
  });

  it('waits for the answers of the other documents', async () => {
    const rig = new Rig();
    const client = rig.client();
    const [one, two] = [await rig.open(client, 'one'), await rig.open(client, 'two')];
    void one.put('a', 1);
    await rig.until('saved', () => one.status.pending === 0);
    const session = client.status.session;
    // Document two has an answer to come, and the connection breaks; then one turns out to be forgotten.
    rig.server.storage = 'away';
    void two.put('b', 1);
    await rig.clock.advance(100);
    rig.server.document('one').forget();
    for (const link of rig.net.links) link.cut();
    await rig.until('offline', () => one.status.connection === 'offline');
    await rig.until('one is back', () => one.status.connection === 'live');
    void two.put('c', 1);
    await rig.clock.advance(2_000);
    expect(client.status.session).toBe(session);
    rig.server.storage = 'up';
    await rig.until('a new session', () => client.status.session !== session);
    await rig.until('all saved', () => two.status.pending === 0);
    expect(two.status.expired).toBe(0);
    expect(rig.server.document('two').log.map((entry) => entry.session === session)).toEqual([true, false]);
    expect(rig.errors).toEqual([]);
  });

  it('C10: sends again what was acknowledged and lost', async () => {
    const rig = new Rig();
    const board = await rig.open(rig.client());
    for (let i = 0; i < 5; i++) {
      void board.push((tx) => tx.put(`k${i}`, i));
      await rig.until('saved', () => board.status.pending === 0);
    }
    rig.server.restart((document) => document.lose(2, 'timeline-2'));
    await rig.until('all is back', () => rig.server.document('board').head === (5 as Seq));
    await rig.until('live', () => board.status.connection === 'live' && board.status.pending === 0);
    expect(board.records().size).toBe(5);
    expect(board.position).toEqual({ timeline: 'timeline-2', seq: 5 });
  });

  it('takes a new id when somebody else uses its own', async () => {
    const rig = new Rig();
    const client = rig.client();
    const board = await rig.open(client);
    const session = client.status.session;
    const document = rig.server.document('board');
    const ops = [{ op: 'put', key: 'x', value: 'thief' }] as const;
    document.push({ document: 'board', opNo: 1, after: 0, ops }, 'ada', session, () => undefined);
    document.commit();
    let code = '';
    board.put('a', 1).catch((error: HomeportError) => (code = error.code));
    await rig.until('the refusal', () => code !== '');
    expect(code).toBe('expired');
    await rig.until('a new session', () => client.status.session !== session && board.status.connection === 'live');
    void board.put('a', 2);
    await rig.until('saved', () => board.status.pending === 0);
  });
});
