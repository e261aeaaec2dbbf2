/** A push on its way through a document: what was made of it so far, and who wants to hear. */
import type { PushReply, Refusal } from '@homeport/protocol';
import type { LoggedEntry, PlacedEntry } from './entry.js';
import type { Change } from './records.js';
import type { Answer, Numbered } from './session-marks.js';

export type Place =
  | { readonly kind: 'arrived' }
  | {
      readonly kind: 'entry';
      readonly entry: PlacedEntry;
      readonly changes: readonly Change[];
      /** Undefined: a push that nobody will repeat. */
      readonly answer: Answer<Waiting> | undefined;
    }
  /** With an answer, or the digest of one: it was judged by its content, and a repetition hears the same. */
  | { readonly kind: 'refusal'; readonly refusal: Refusal; readonly answer: Answer<Waiting> | number | undefined };

export interface Waiting {
  readonly push: Numbered;
  place: Place;
  /** The data itself was refused by the database: nothing will make it storable. */
  isPoison: boolean;
  /** Everyone who sent this push and has no answer yet. */
  askers: { readonly answer: (reply: PushReply) => void; readonly sinceMs: number }[];
}

export function answerAll(waiting: Waiting, reply: PushReply): void {
  for (const { answer } of waiting.askers.splice(0)) answer(reply);
}

/** Whether the entry is what became of this push. */
export function isSame(entry: LoggedEntry, push: Numbered): boolean {
  return entry.session === push.session && entry.user === push.user && entry.opNo === push.opNo;
}
