import { FakeClock, RecordingChannel, RecordingFanOut } from '@homeport/testkit';
import { refuse, type Epoch, type OpenRequest, type Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { tailPages } from '../document/catch-up.js';
import { Documents, type DocumentRef, type Presented } from '../document/document-ref.js';
import { OpenDocument } from './open-document.js';
import { Presence } from './presence.js';

const BOARD = 'board';
const REQUEST: OpenRequest = { document: BOARD };
/** What the owner had accepted of the session when it answered. */
const ACCEPTED = 7;

describe('OpenDocument', () => {
  it.each([
    ['an ack that the reply of the owner tells of', ACCEPTED, { ok: true }, 1],
    ['an ack that has overtaken it: the owner is left, and asked again', ACCEPTED + 1, { code: 'unavailable' }, 0],
  ])('hears of %s', async (_, opNo, reply, readers) => {
    const { owner, document } = bench();
    owner.meanwhile = () => document.acked(opNo);
    expect(await document.open(REQUEST)).toMatchObject(reply);
    expect(owner.readers).toBe(readers);
    expect(document.isOpen).toBe(readers > 0);
  });

  it('whoever leaves while the owner is asked is not on the document there', async () => {
    const { owner, document } = bench();
    owner.meanwhile = () => document.leave();
    expect(await document.open(REQUEST)).toMatchObject({ code: 'unavailable' });
    expect(owner.readers).toBe(0);
    expect(document.isOpen).toBe(false);
  });

  it('P1: what is shown goes with the document to its next owner, and with the session from there', async () => {
    const { owner, documents, document, presence } = bench();
    owner.isElsewhere = false;
    await document.open(REQUEST);
    document.show({ x: 1 });
    await document.listenAhead(() => true);
    expect(presence.full(BOARD).sessions).toMatchObject({ s1: { state: { x: 1 } } });
    expect(document.follow()).toBe(true);
    expect(documents.presented).toMatchObject([{ session: 's1', state: { x: 1 } }]);
    document.leave();
    expect(documents.presented.slice(1)).toMatchObject([{ session: 's1', state: null }]);
    expect(owner.readers).toBe(0);
  });
});

/** The only document: it has no content, and says who is on it. */
class Owner implements DocumentRef {
  isElsewhere = true;
  readers = 0;
  /** What happens while its answer is on the way. */
  meanwhile = (): void => {};

  async open({ join, joinRelayed }: Parameters<DocumentRef['open']>[0]): ReturnType<DocumentRef['open']> {
    const isJoined = this.isElsewhere ? await joinRelayed() : join();
    if (!isJoined) return refuse.unavailable('the session went away', 0);
    this.readers++;
    this.meanwhile();
    return {
      position: { timeline: 'timeline-1', seq: 0 as Seq },
      owner: { id: 'b.1', name: 'b', url: 'http://b' },
      epoch: 1 as Epoch,
      relayed: this.isElsewhere,
      session: { accepted: ACCEPTED, recent: [] },
      page: { tail: [] },
      rest: tailPages([]),
    };
  }

  leave(): void {
    this.readers--;
  }

  follow(): boolean {
    return true;
  }

  readonly nextPage = async () => refuse.notOpen();
  readonly push = async () => refuse.notOpen();
  readonly read = async () => refuse.notOpen();
  readonly entries = async () => refuse.notOpen();
}

class OneDocument extends Documents {
  readonly presented: Presented[] = [];

  constructor(private readonly owner: Owner) {
    super();
  }

  override open(): DocumentRef {
    return this.owner;
  }

  override present(_: string, shown: Presented): void {
    this.presented.push(shown);
  }

  override askPresence(): void {}
  override async catchUp(): Promise<void> {}
}

function bench() {
  const clock = new FakeClock();
  const fanOut = new RecordingFanOut();
  const channel = new RecordingChannel(fanOut);
  const presence = new Presence(fanOut, clock, () => false);
  const owner = new Owner();
  const documents = new OneDocument(owner);
  const presented = { session: 's1', user: 'ada', channel: 1 };
  const opener = { presented, channel, documents, presence, clock };
  return { owner, documents, presence, document: new OpenDocument(BOARD, 'redirect', 'write', opener) };
}
