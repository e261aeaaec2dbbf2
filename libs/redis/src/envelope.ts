import type { BusMessage } from '@homeport/core';

const KINDS = ['notice', 'question', 'answer', 'failure'] as const;

/** A message of the bus, as it travels inside its seal. */
export interface Envelope {
  readonly from: string;
  /** The sender's wall clock. */
  readonly at: number;
  readonly kind: (typeof KINDS)[number];
  /** Of the question; 0 for a notice. */
  readonly id: number;
  /** Of a failure: `{why}`. */
  readonly body: BusMessage;
}

/** `bodyText`: the body as JSON, which is made once. */
export function envelopeText({ from, at, kind, id }: Omit<Envelope, 'body'>, bodyText: string): string {
  return `{"from":${JSON.stringify(from)},"at":${at},"kind":"${kind}","id":${id},"body":${bodyText}}`;
}

/** Undefined: it is malformed. */
export function readEnvelope(bytes: Buffer): Envelope | undefined {
  let read: unknown;
  try {
    read = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  if (!isObject(read)) return undefined;
  const { from, at, kind, id, body } = read as Partial<Envelope>;
  const isSound =
    typeof from === 'string' && Number.isFinite(at) && KINDS.includes(kind!) && Number.isInteger(id) && isObject(body);
  return isSound ? (read as unknown as Envelope) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
