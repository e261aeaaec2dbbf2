import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '@homeport/testkit';
import { refuse, type DocumentId, type Op } from '@homeport/protocol';
import { FakeNode } from '../../test/fake-node.js';
import type { Operation } from '../history/operation.js';
import type { Carry } from './carrier.js';
import { RawClient, type RawClientOptions } from './raw-client.js';
import { bySocketIo } from './socket-io-carrier.js';
import { byWire } from './wire-carrier.js';

const BOARD: DocumentId = 'board';
const OPS: Op[] = [{ op: 'put', key: 'a', value: 1 }];
const WITHIN_MS = 10_000;

let alpha: FakeNode;
let beta: FakeNode;
let gamma: FakeNode;
let client: RawClient | undefined;
let history: Operation[];
let carry: Carry;

beforeEach(async () => {
  [alpha, beta, gamma] = [await FakeNode.start('alpha'), await FakeNode.start('beta'), await FakeNode.start('gamma')];
  history = [];
});

afterEach(async () => {
  client?.close();
  await Promise.all([alpha.stop(), beta.stop(), gamma.stop()]);
});

function dial(options: Partial<RawClientOptions> = {}): RawClient {
  const record = (operation: Operation): void => void history.push(operation);
  const urls = [alpha.url, beta.url];
  client = new RawClient({ name: 'c', session: 's', window: 8, urls, record, carry, ...options });
  return client;
}

const sees = (what: string, holds: () => boolean): Promise<void> => until(WITHIN_MS, what, holds);

const CARRIERS: readonly { readonly by: string; readonly carrier: Carry }[] = [
  { by: 'Socket.IO’s own client', carrier: bySocketIo },
  { by: 'a bare WebSocket', carrier: byWire() },
];

describe.each(CARRIERS)('carried by $by', ({ carrier }) => {
  beforeEach(() => void (carry = carrier));

  describe('a raw client that is pinned', () => {
    it('follows the refusal of an open to the owner, which it had not known', async () => {
      alpha.onOpen = () => alpha.moved(gamma, 5);
      gamma.onOpen = () => gamma.opened(5);
      const document = dial().open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      expect(document.wire?.node.name).toBe('gamma');
      expect(gamma.askedFor).toEqual(['gamma']);
      expect(gamma.opens).toEqual([{ document: BOARD, pin: 'redirect', epoch: 5 }]);
      expect(history.at(-1)).toMatchObject({ kind: 'copy', node: 'gamma.1', epoch: 5 });
    });

    it('follows a `moved` while a push is unanswered, and sends that push again there, with its number', async () => {
      alpha.onOpen = () => alpha.opened(1);
      alpha.onPush = () => undefined;
      beta.onOpen = () => beta.opened(2);
      const document = dial().open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      expect(document.push(OPS)).toBe(1);
      await sees('the push to arrive', () => alpha.pushes.length === 1);
      alpha.tellMoved(BOARD, beta, 2);
      await sees('the push to be answered', () => document.unsettled === 0);
      expect(beta.pushes).toMatchObject([{ opNo: 1, after: 0, ops: OPS }]);
      const attempts = history.filter((operation) => operation.kind === 'push');
      expect(attempts).toMatchObject([
        { opNo: 1, outcome: 'unknown', node: 'alpha.1', epoch: 1 },
        { opNo: 1, outcome: 'ok', node: 'beta.1', epoch: 2 },
      ]);
    });

    it('E1: stays where it is served until its time to go has come, or until that ends', async () => {
      beta.onOpen = () => beta.opened(2);
      const document = dial().open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      alpha.tellMoved(BOARD, beta, 2, 60_000);
      document.push(OPS);
      await sees('the push to be answered', () => document.unsettled === 0);
      expect([alpha.pushes.length, beta.askedFor.length]).toEqual([1, 0]);
      alpha.hangUp();
      await sees('the document to be open at beta', () => document.isOpen && document.wire?.node.name === 'beta');
      expect(alpha.opens).toHaveLength(1);
    });

    it('E1: is served where it was until the node that it goes to has greeted', async () => {
      beta.greets = false;
      beta.onOpen = () => beta.opened(2);
      const document = dial().open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      alpha.tellMoved(BOARD, beta, 2);
      await sees('the dial', () => beta.askedFor.length === 1);
      document.push(OPS);
      await sees('the push to be answered', () => document.unsettled === 0);
      expect([document.isOpen, alpha.pushes.length]).toEqual([true, 1]);
      // It gives up that dial, and asks where it is.
      alpha.onOpen = () => alpha.moved(beta, 2);
      beta.greets = true;
      await sees('the document to be open at beta', () => document.isOpen && document.wire?.node.name === 'beta');
    });

    it('gives up a dial when it is sent elsewhere meanwhile', async () => {
      beta.greets = false;
      gamma.onOpen = () => gamma.opened(3);
      const dialled = dial();
      const document = dialled.open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      alpha.tellMoved(BOARD, beta, 2);
      await sees('the dial', () => beta.sockets === 1);
      alpha.tellMoved(BOARD, gamma, 3);
      await sees('the document to be open at gamma', () => document.isOpen && document.wire?.node.name === 'gamma');
      await sees('no other socket', () => alpha.sockets + beta.sockets === 0);
      // Not because nobody greeted in time.
      expect([gamma.sockets, dialled.linksLost]).toEqual([1, 0]);
    });

    it('goes where it was sent last, also when the dial to where it was sent before has failed meanwhile', async () => {
      beta.greets = false;
      gamma.onOpen = () => gamma.opened(3);
      const document = dial().open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      alpha.tellMoved(BOARD, beta, 2);
      await sees('the dial', () => beta.sockets === 1);
      alpha.tellMoved(BOARD, gamma, 3, 60_000);
      await sees('the document to be open at gamma', () => document.isOpen && document.wire?.node.name === 'gamma');
      expect([alpha.opens.length, beta.askedFor.length]).toEqual([1, 1]);
    });

    it('goes at once when who served it on can do so no longer', async () => {
      beta.onOpen = () => beta.opened(2);
      const document = dial({ urls: [alpha.url, gamma.url] }).open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      alpha.tellMoved(BOARD, beta, 2, 60_000);
      alpha.onPush = () => alpha.moved(beta, 2);
      document.push(OPS);
      await sees('the push to be answered', () => document.unsettled === 0);
      expect(beta.pushes).toHaveLength(1);
      expect(gamma.askedFor).toEqual([]);
    });

    it('follows the refusal of a push', async () => {
      alpha.onPush = () => alpha.moved(beta, 2);
      beta.onOpen = () => beta.opened(2);
      const document = dial().open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      for (let i = 0; i < 5; i++) document.push(OPS);
      await sees('the pushes to be answered', () => document.unsettled === 0);
      expect(beta.pushes.map(({ opNo }) => opNo)).toEqual([1, 2, 3, 4, 5]);
    });

    it('does not go where the epoch is not above the one it knows, and asks the next node after the time that it is told', async () => {
      alpha.onOpen = () => alpha.opened(3);
      const document = dial().open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      beta.onOpen = () => beta.opened(4);
      alpha.tellMoved(BOARD, gamma, 3);
      await sees('the document to be open at beta', () => document.isOpen && document.wire?.node.name === 'beta');
      expect(gamma.askedFor).toEqual([]);
    });

    it('two nodes that name each other do not make it run in circles without a pause', async () => {
      alpha.onOpen = () => alpha.moved(beta, 2, 50);
      beta.onOpen = () => beta.moved(alpha, 2, 50);
      const from = performance.now();
      dial().open(BOARD);
      await sees('eight questions', () => alpha.opens.length + beta.opens.length >= 8);
      // The first answer is followed, each later one is waited for.
      expect(performance.now() - from).toBeGreaterThan(6 * 45);
    });

    it('leaves a node that does not answer, and one that does not greet', async () => {
      alpha.onOpen = () => undefined;
      beta.greets = false;
      const document = dial({ urls: [alpha.url, beta.url, gamma.url] }).open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      expect(document.wire?.node.name).toBe('gamma');
    });

    it('asks another node when one asks for time again and again', async () => {
      alpha.onPush = () => refuse.unavailable('cut off', 100);
      beta.onOpen = () => beta.opened(2);
      const document = dial().open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      document.push(OPS);
      await sees('the push to be answered', () => document.unsettled === 0);
      expect(alpha.pushes.length).toBeGreaterThan(5);
      expect(beta.pushes).toMatchObject([{ opNo: 1 }]);
    });

    it('dials again when its socket is lost, and the others when that fails', async () => {
      const document = dial().open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      alpha.hangUp();
      await sees('the second open', () => alpha.opens.length === 2 && document.isOpen);
      expect(alpha.opens[1]).toMatchObject({ since: { timeline: 't', seq: 0 } });
      await alpha.stop();
      await sees('the document to be open at beta', () => document.isOpen && document.wire?.node.name === 'beta');
    });

    it('keeps one socket for each node that one of its documents is on', async () => {
      const dialled = dial();
      const opened = ['one', 'two'].map((id) => dialled.open(id));
      await sees('both to be open', () => opened.every(({ isOpen }) => isOpen));
      expect(alpha.askedFor).toHaveLength(1);
      alpha.tellMoved('one', beta, 2);
      await sees('one to be at beta', () => opened[0]!.isOpen && opened[0]!.wire?.node.name === 'beta');
      expect(opened[1]!.isOpen).toBe(true);
      expect(alpha.opens).toHaveLength(2);
      await sees('alpha to be told', () => alpha.closes.length > 0);
      expect(alpha.closes).toEqual(['one']);
    });

    it('does not dial an address that it objects to, and says so', async () => {
      const objection = (url: string): string | undefined => (url === gamma.url ? 'gamma is not ours' : undefined);
      alpha.onOpen = () => alpha.moved(gamma, 5);
      const dialled = dial({ objection });
      dialled.open(BOARD);
      await sees('that it does not go on', () => dialled.trouble !== undefined);
      expect(dialled.trouble).toContain('gamma is not ours');
      expect(gamma.askedFor).toEqual([]);
    });

    it('is served through the node that a load balancer brought it to, if that is not the one it asked for', async () => {
      gamma.greetsAs = beta.ref;
      alpha.onOpen = () => alpha.moved(gamma, 2);
      const document = dial().open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      expect(gamma.opens).toMatchObject([{ pin: 'relay', epoch: 2 }]);
    });
  });

  it('waits for no answer to what has none', async () => {
    const document = dial().open(BOARD);
    await sees('the document to be open', () => document.isOpen);
    document.wire!.emit('presence', { document: BOARD, state: { x: 1 } });
    await sees('the presence to arrive', () => alpha.presences.length === 1);
    expect(alpha.presences).toEqual([{ request: { document: BOARD, state: { x: 1 } }, wantsAnswer: false }]);
  });

  describe('a raw client that is relayed', () => {
    it('says so, and stays where it is', async () => {
      const document = dial({ pin: 'relay', startAt: 1 }).open(BOARD);
      await sees('the document to be open', () => document.isOpen);
      expect(beta.opens).toEqual([{ document: BOARD, pin: 'relay' }]);
      expect(alpha.askedFor).toEqual([]);
    });
  });
});
