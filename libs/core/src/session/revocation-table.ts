import type { UserId } from '@homeport/protocol';

/** What the subject's tokens allowed on documents that match counts no longer, for tokens that were issued before. */
export interface Revocation {
  /** Rises in the order in which they were made. */
  readonly id: number;
  readonly subject: UserId;
  /** As in a grant: `*` matches any characters. */
  readonly pattern: string;
  /** By the clock of the database, ms since 1970. */
  readonly atMs: number;
}

/** The revocations, in the database. A call rejects when it can not be reached; whether something was written is not known then. */
export abstract class RevocationTable {
  /** Resolves when it is committed. There is one of each subject and pattern: made again, it is the youngest. */
  abstract revoke(subject: UserId, pattern: string): Promise<Revocation>;

  /** Those with a higher id, in order. Nothing is ever committed below an id that was answered. */
  abstract after(id: number): Promise<readonly Revocation[]>;
}
