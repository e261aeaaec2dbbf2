/** A lease table that counts what would go to Postgres: statements and transactions by kind, and the rows that come back. */
import type { LeaseTable, Renewal } from '@homeport/core';
import type { Traffic } from './traffic.js';

/** Of a row in Postgres's protocol, and of each of its columns. */
const ROW_BYTES = 7;
const COLUMN_BYTES = 4;
/** Each row of a renewal has these beside: the backend, the version, start and age of the server. */
const RENEWAL_BYTES = 4 * COLUMN_BYTES + '12345100000002026-01-01 00:00:00.000000+0086400000.000'.length;

export function countedLeases(leases: LeaseTable, postgres: Traffic): LeaseTable {
  return new Proxy(leases, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return async (...values: unknown[]) => {
        const answer: unknown = await Reflect.apply(member, target, values);
        const rows = rowsOf(answer);
        const bytes = rows.length * (bytesOf(rows[0]) + (name === 'renew' ? RENEWAL_BYTES : 0));
        const askedBytes = name === 'slots' ? String(values[0]).length : 0;
        postgres.count(String(name), rows.length, bytes + askedBytes);
        return answer;
      };
    },
  });
}

function rowsOf(answer: unknown): readonly unknown[] {
  if (Array.isArray(answer)) return answer;
  return (answer as Renewal | undefined)?.kind === 'renewed'
    ? (answer as Extract<Renewal, { nodes: unknown }>).nodes
    : [];
}

/** The rows of one answer are as good as equal in length. */
function bytesOf(row: unknown): number {
  const columns = Object.values((row ?? {}) as object);
  return columns.reduce<number>((bytes, column) => bytes + COLUMN_BYTES + String(column).length, ROW_BYTES);
}
