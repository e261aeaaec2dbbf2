import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '@homeport/testkit';
import type { Op, PushReply } from '@homeport/protocol';
import { FakeNode } from '../../test/fake-node.js';
import { byWire } from '../clients/wire-carrier.js';
import { nowMs } from '../history/operation.js';
import { LongestWaits } from './longest-waits.js';
import { Person } from './person.js';
import { Tally } from './tally.js';
import { statsOf } from './timeline.js';

const BOARD = 'board';
const WITHIN_MS = 10_000;
const OPS: Op[] = [{ op: 'put', key: 'a', value: 1 }];

let node: FakeNode;
let person: Person;
let tally: Tally;
let waits: LongestWaits;

beforeEach(async () => {
  node = await FakeNode.start('alpha');
  tally = new Tally();
  waits = new LongestWaits();
  const options = { name: 'ada', session: 's', urls: [node.url], record: () => {}, carry: byWire() };
  person = new Person(options, tally, waits);
});

afterEach(async () => {
  person.close();
  await node.stop();
});

it('what does not fit the window waits, is sent in order, and its wait counts', async () => {
  let answers = false;
  node.onPush = ({ opNo }): PushReply | undefined => (answers ? node.pushed(opNo) : undefined);
  person.open(BOARD);
  await until(WITHIN_MS, 'the board to be open', () => person.isOpen);
  const longAgoMs = nowMs() - 5_000;
  for (let i = 0; i < 70; i++) person.push(BOARD, OPS, i === 69 ? longAgoMs : nowMs());
  await until(WITHIN_MS, '64 pushes to arrive', () => node.pushes.length === 64);
  expect(person.waiting).toBe(6);
  expect(person.unsettled).toBe(70);

  answers = true;
  // What was in flight is lost with the socket, and sent again.
  node.hangUp();
  await until(WITHIN_MS, 'all pushes to be answered', () => person.unsettled === 0);
  expect(node.pushes.slice(64).map(({ opNo }) => opNo)).toEqual(Array.from({ length: 70 }, (_, i) => i + 1));
  const [push] = statsOf(tally.take()).filter(({ kind }) => kind === 'push');
  expect(push).toMatchObject({ ok: 70, refused: 0, unknown: 64 });
  expect(push!.latency.max).toBeGreaterThanOrEqual(5_000);
  expect(waits.take()[0]![1]).toBeGreaterThanOrEqual(5_000);
  expect(waits.take()).toEqual([]);
});

it('a read that nobody can be asked, or whose answer is lost with the socket, is one without an answer', async () => {
  person.open(BOARD);
  person.read(BOARD, nowMs());
  expect(statsOf(tally.take())).toMatchObject([{ kind: 'read', ok: 0, unknown: 1 }]);

  await until(WITHIN_MS, 'the board to be open', () => person.isOpen);
  const [board] = person.documents;
  tally.take();
  person.read(BOARD, nowMs());
  node.hangUp();
  await until(WITHIN_MS, 'the socket to be gone', () => !board!.isOpen);
  expect(statsOf(tally.take()).find(({ kind }) => kind === 'read')).toMatchObject({ ok: 0, refused: 0, unknown: 1 });
});
