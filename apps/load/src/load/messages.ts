/** What the conductor of a run and its generators say to each other. */
import type { DocumentId } from '@homeport/protocol';
import type { Sizes } from './scenario.js';
import type { KindCounts } from './tally.js';

/** What a generator must know to play its part. */
export interface Plan {
  readonly scenario: string;
  readonly sizes: Sizes;
  /** Which of how many it is, from 0. */
  readonly index: number;
  readonly generators: number;
  readonly urls: readonly string[];
  readonly token: string | undefined;
  /** Whether it follows a node that sends it to another machine. */
  readonly ownsSystem: boolean;
  readonly seed: number;
  /** Every document's name begins with it. */
  readonly prefix: string;
  readonly rampMs: number;
  /** Where it writes its history. */
  readonly historyFile: string;
  readonly patienceMs: number;
}

export type ToGenerator =
  | { readonly kind: 'prepare'; readonly plan: Plan }
  /** Time zero of the run, on the machine's monotonic clock. */
  | { readonly kind: 'go'; readonly startMs: number }
  /** The nodes that can be asked over HTTP at present. */
  | { readonly kind: 'urls'; readonly urls: readonly string[] }
  | { readonly kind: 'act'; readonly act: string }
  /** Asks for the longest wait of each document, and begins a new stretch. */
  | { readonly kind: 'waits' }
  /** Nothing new is begun; answered when everything has been. */
  | { readonly kind: 'quiet' }
  /** Answered when everything that was due until now has been. */
  | { readonly kind: 'flow' }
  /** All copies shall come to these heads; null: nobody knows them, and they are taken as they stand. */
  | { readonly kind: 'finish'; readonly heads: readonly (readonly [DocumentId, number])[] | null };

export type FromGenerator =
  | { readonly kind: 'ready'; readonly joined: readonly KindCounts[]; readonly documents: readonly DocumentId[] }
  | ({ readonly kind: 'second' } & GeneratorSecond)
  | { readonly kind: 'acted' }
  | { readonly kind: 'flowing'; readonly missing: string | undefined }
  | { readonly kind: 'waited'; readonly longest: readonly (readonly [DocumentId, number])[] }
  | {
      readonly kind: 'settled';
      /** All documents that it ever opened. */
      readonly documents: readonly DocumentId[];
      /** What did not come. */
      readonly missing: string | undefined;
    }
  | { readonly kind: 'finished'; readonly missing: string | undefined }
  /** It can not go on. */
  | { readonly kind: 'trouble'; readonly why: string }
  | { readonly kind: 'violation'; readonly document: DocumentId; readonly says: string };

export interface GeneratorSecond {
  readonly second: number;
  readonly counts: readonly KindCounts[];
  readonly cpuCores: number;
  readonly rssBytes: number;
  readonly loopLagMs: number;
  /** How late it sent what was due, at the worst. */
  readonly lateMs: number;
  /** Pushes that wait for room in the window of their session. */
  readonly waiting: number;
}
