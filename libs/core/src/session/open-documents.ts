/**
 * The documents that a session has open, and where those went that it had to let go of.
 *
 *   closed ── open ──> opening ── joined ──> open ── close, no right, too slow, channel gone ──> closed
 *
 * An open that was overtaken by another one, or by a close, finds that its document was left, and ends. What a document
 * goes through while it is open is told in `open-document.ts`.
 */
import { LIMITS, refuse, type Access, type DocumentId, type OpenRequest, type Refusal } from '@homeport/protocol';
import type { DocumentRef } from '../document/document-ref.js';
import { slotOf, type LostSlot, type Slot } from '../document/slot.js';
import type { Departures } from './departures.js';
import { OpenDocument, type Opener } from './open-document.js';

export class OpenDocuments {
  readonly #opener: Opener;
  readonly #open = new Map<DocumentId, OpenDocument>();
  /** What was let go of here, the latest: what is still pushed here is told where it went. */
  readonly #moved = new Map<DocumentId, Refusal>();
  #isClosed = false;

  constructor(opener: Opener) {
    this.#opener = opener;
  }

  find(document: DocumentId): OpenDocument | undefined {
    return this.#open.get(document);
  }

  /** As they are now: they may be left meanwhile. */
  all(): readonly OpenDocument[] {
    return [...this.#open.values()];
  }

  /** Why nothing is taken for a document that is not open. */
  notOpen(document: DocumentId): Refusal {
    return this.#moved.get(document) ?? refuse.notOpen();
  }

  /** A document of which no more is wanted than an answer need not be open. */
  refOf(document: DocumentId): DocumentRef {
    return this.#open.get(document)?.ref ?? this.#opener.documents.open(document, 'redirect');
  }

  async open(request: OpenRequest, access: Access | 'none'): Promise<object> {
    const { document, pin = 'redirect' } = request;
    if (this.#isClosed) return refuse.unavailable('the session went away', 0);
    if (!this.#open.has(document) && this.#open.size >= LIMITS.documentsPerSession)
      return refuse.tooLarge('documentsPerSession', `a session opens at most ${LIMITS.documentsPerSession} documents`);
    this.close(document);
    const mine = new OpenDocument(document, pin, access, this.#opener);
    this.#open.set(document, mine);
    const reply = await mine.open(request);
    if (reply.ok) return reply;
    // Nobody else sees to it that a document that was closed meanwhile is left there.
    if (this.#open.get(document) === mine) this.#open.delete(document);
    if (!this.#open.has(document)) this.#opener.channel.leave(document);
    return reply;
  }

  /** As its client wishes. */
  close(document: DocumentId): void {
    this.leave(document);
    this.#moved.delete(document);
  }

  leave(document: DocumentId): void {
    const open = this.#open.get(document);
    if (open === undefined) return;
    this.#open.delete(document);
    open.leave();
  }

  /** A peer that does not read is taken out of all of them. */
  resumeAll(): void {
    for (const open of this.all()) this.#resume(open);
  }

  /** The channel is gone. */
  end(): void {
    this.#isClosed = true;
    for (const { id } of this.all()) this.leave(id);
  }

  // ── when they move ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Documents that other nodes have by now, and that are served here until their session, which was told, goes there. */
  get parted(): number {
    let count = 0;
    for (const { pin, isElsewhere } of this.#open.values()) if (pin === 'redirect' && isElsewhere) count++;
    return count;
  }

  /** Some slots are about to move: what is published of their documents by other nodes reaches the channel beforehand. */
  async listenAhead(isMoving: (slot: Slot) => boolean): Promise<void> {
    const moving = this.all().filter(({ id, canFollow }) => canFollow && isMoving(slotOf(id)));
    await Promise.all(
      moving.map(async (open) => {
        await open.listenAhead(isMoving);
        if (!this.#open.has(open.id)) this.#opener.channel.leave(open.id);
      }),
    );
  }

  /** What was about to move, and did not. */
  stayed(isMoving: (slot: Slot) => boolean): void {
    for (const open of this.#open.values()) if (!isMoving(slotOf(open.id))) open.stay();
  }

  /**
   * These slots are other nodes' now. A session that can go there is told where, and is served here meanwhile if it hears
   * the new owner; one that is pinned here opens again, and is relayed. `pace`: not all of them come to the new owner at
   * once.
   */
  moved(lost: ReadonlyMap<Slot, LostSlot>, pace: Departures): void {
    for (const open of this.all()) {
      const slot = lost.get(slotOf(open.id));
      if (slot === undefined || !open.isOpen || open.isElsewhere) continue;
      const { owner, epoch } = slot;
      if (open.pin === 'relay' || owner === undefined) {
        this.#resume(open);
        continue;
      }
      const isFollowed = open.follow();
      const afterMs = pace.afterMs(isFollowed);
      if (!isFollowed) this.#letGo(open, refuse.moved(owner, epoch, afterMs));
      this.#opener.channel.send('moved', { document: open.id, owner, epoch, afterMs });
    }
  }

  /** These documents live here now: who was relayed opens again, and is served directly. */
  cameHome(isHere: (document: DocumentId) => boolean): void {
    for (const open of this.all()) if (open.isElsewhere && isHere(open.id)) this.#resume(open);
  }

  #resume({ id }: OpenDocument): void {
    this.leave(id);
    this.#opener.channel.send('resume', { document: id });
  }

  #letGo({ id }: OpenDocument, moved: Refusal): void {
    this.leave(id);
    this.#moved.set(id, moved);
    const [oldest] = this.#moved.keys();
    if (this.#moved.size > LIMITS.documentsPerSession) this.#moved.delete(oldest!);
  }
}
