/** What somebody knew of a document: from `knownAt` on it stood at `seq` or later. */
import type { Seq } from '@homeport/protocol';
import type { Operation } from './operation.js';

export interface Fact {
  readonly knownAt: number;
  readonly seq: Seq;
  readonly what: string;
  readonly session: string;
}

export function factsOf(operation: Operation): Fact[] {
  const { end: knownAt, session } = operation;
  switch (operation.kind) {
    case 'push':
      return operation.outcome === 'ok' ? [{ knownAt, session, seq: operation.seq, what: 'a push' }] : [];
    case 'read':
      return [{ knownAt, session, seq: operation.seq, what: 'a read' }];
    case 'copy':
    case 'final':
      return [{ knownAt, session, seq: operation.seq, what: 'a copy' }];
  }
}

/** Each of the askings with the highest fact that was known before it began. Two sorted lists and one pass. */
export function knownBefore<Asking extends { readonly start: number }>(
  facts: readonly Fact[],
  askings: readonly Asking[],
): { readonly asking: Asking; readonly known: Fact }[] {
  const inTime = [...facts].sort((a, b) => a.knownAt - b.knownAt);
  const pairs: { readonly asking: Asking; readonly known: Fact }[] = [];
  let next = 0;
  let known: Fact | undefined;
  for (const asking of [...askings].sort((a, b) => a.start - b.start)) {
    for (let fact = inTime[next]; fact !== undefined && fact.knownAt < asking.start; fact = inTime[++next])
      if (known === undefined || fact.seq > known.seq) known = fact;
    if (known !== undefined) pairs.push({ asking, known });
  }
  return pairs;
}
