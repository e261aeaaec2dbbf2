/**
 * What one client saw of one document, as it goes into the history: who answered, in which epoch, and how far its own copy
 * has come. Every entry that the copy took is told of; how densely, and how often its hash with it, is the run's choice.
 */
import type { DocumentId, OpenedHead, ReadReply, Seq } from '@homeport/protocol';
import { DocumentCopy } from '../history/document-copy.js';
import { nowMs, type Unstamped } from '../history/operation.js';
import type { CopyRecording, RawClientOptions } from './raw-client.js';
import type { Seam } from './seam.js';
import type { Wire } from './wire.js';

const DENSE: CopyRecording = { everyMs: 0, hashEverySeqs: 50 };

export class Witness {
  readonly #document: DocumentId;
  readonly #options: RawClientOptions;
  readonly #copies: CopyRecording;
  readonly #seam: Seam;
  #user = '';
  #node = '';
  #epoch = 0;
  #hashedAt = 0;
  #copiedMs = 0;

  constructor(document: DocumentId, options: RawClientOptions, seam: Seam) {
    this.#document = document;
    this.#options = options;
    this.#copies = options.copies ?? DENSE;
    this.#seam = seam;
  }

  connected({ user, node }: Wire): void {
    this.#user = user;
    this.#node = node.id;
  }

  opened({ epoch }: OpenedHead): void {
    this.#epoch = epoch;
  }

  record(observed: Unstamped): void {
    const { name: client, session, record } = this.#options;
    const document = this.#document;
    record({ ...observed, client, user: this.#user, session, document, node: this.#node, epoch: this.#epoch });
  }

  /** The whole document, as the owner gave it to a read. */
  read(start: number, { records, position, stale }: Extract<ReadReply, { ok: true }>): void {
    const copy = new DocumentCopy();
    copy.install(records);
    copy.standAt(position.seq);
    const hash = copy.hash();
    const read = { kind: 'read', start, end: nowMs(), seq: copy.seq } as const;
    this.record({ ...read, ...(hash !== undefined && { hash }), ...(stale && { stale: true }) });
  }

  /** The copy took entries, and stood at `before`: they are told of as soon as that is due. */
  followed(before: Seq): void {
    if (this.#seam.copy.seq > before && nowMs() >= this.#copiedMs + this.#copies.everyMs) this.copied();
  }

  /** The copy has come to where it stands. */
  copied(): void {
    const { copy } = this.#seam;
    const { seq } = copy;
    const isDue = seq >= this.#hashedAt + this.#copies.hashEverySeqs || seq < this.#hashedAt;
    const hash = isDue ? copy.hash() : undefined;
    if (hash !== undefined) this.#hashedAt = seq;
    const shown = this.#seam.takeShown();
    this.#copiedMs = nowMs();
    const copied = { kind: 'copy', start: nowMs(), end: nowMs(), seq } as const;
    this.record({ ...copied, ...(hash !== undefined && { hash }), ...(shown && { shown }) });
  }

  /** What the copy was shown, and is not in the history yet, goes there. */
  shown(): void {
    if (this.#seam.copy.seq > 0) this.copied();
  }

  /** Everything has settled: the copy goes into the history as it stands. False: it stands between two states. */
  settled(): boolean {
    this.shown();
    const { copy } = this.#seam;
    const hash = copy.hash();
    if (hash === undefined) return false;
    this.record({ kind: 'final', start: nowMs(), end: nowMs(), seq: copy.seq, hash });
    return true;
  }
}
