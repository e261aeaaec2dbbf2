/** Everything is bounded, and every bound stands here. Clients get them in `hello`. Units are the last word of a name. */
export const LIMITS = {
  messageBytes: 256 * 1024,
  opBytes: 128 * 1024,
  recordBytes: 128 * 1024,
  /** A page of `open` or `entries` stops growing here. */
  pageBytes: 128 * 1024,
  opsPerPush: 500,
  depth: 32,
  recordsPerDocument: 50_000,
  documentBytes: 64 * 1024 * 1024,
  documentsPerSession: 100,
  /** Unanswered pushes of one session in one document. */
  pendingPushes: 64,
  presenceBytes: 4 * 1024,
  presencePerSecond: 60,
  documentIdChars: 128,
  sessionIdChars: 128,
  keyBytes: 256,
  keysPerRead: 1_000,
  tokenChars: 8 * 1024,
} as const;

export type Limits = { readonly [name in keyof typeof LIMITS]: number };
