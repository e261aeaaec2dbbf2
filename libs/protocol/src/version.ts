/** The version of the wire. A change of terms, messages, codes or limits needs a new one and a line of history. */
export const PROTOCOL_VERSION = 1;

/** `hash` is the digest of the text of terms.ts, messages.ts, codes.ts and limits.ts without comments and white space. */
export const PROTOCOL_HISTORY = [{ version: 1, hash: '0c1e71ec6e91ad', says: 'the first' }] as const;
