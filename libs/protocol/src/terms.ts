/** The words that every message is made of. */
declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** Place of an entry in its document: 1, 2, 3 … without a gap. 0 is the state before the first entry. */
export type Seq = Branded<'Seq'>;
/** How often the ownership of a slot has been taken. */
export type Epoch = Branded<'Epoch'>;

export type DocumentId = string;
export type SessionId = string;
export type UserId = string;
/** The name of one history; it changes only when Postgres lost some of it. */
export type Timeline = string;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [field: string]: Json };
export type JsonObject = { readonly [field: string]: Json };

export interface Position {
  readonly timeline: Timeline;
  readonly seq: Seq;
}

export interface NodeRef {
  readonly id: string;
  readonly name: string;
  readonly url: string;
}
