/** What every `RevocationTable` must do. */
import type { LeaseTable, RevocationTable } from '@homeport/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeNamed } from '../samples.js';

export interface RevocationTables {
  /** As one more process sees them. */
  connect(): Promise<{ readonly revocations: RevocationTable; readonly leases: LeaseTable }>;
  close(): Promise<void>;
}

const NODE = nodeNamed('alice');

/** `make`: over fresh tables at each call. */
export function describeRevocationTable(name: string, make: () => Promise<RevocationTables>): void {
  describe(`${name} as a RevocationTable`, () => {
    let tables: RevocationTables;
    let alice: Awaited<ReturnType<RevocationTables['connect']>>;
    let bob: Awaited<ReturnType<RevocationTables['connect']>>;

    beforeEach(async () => {
      tables = await make();
      [alice, bob] = [await tables.connect(), await tables.connect()];
    });
    afterEach(() => tables.close());

    it('L7: what one process revokes is read by another, in order, from any id on', async () => {
      expect(await bob.revocations.after(0)).toEqual([]);
      const first = await alice.revocations.revoke('ada', 'board-*');
      const second = await alice.revocations.revoke('o\'eve\\ "😀', '*');
      expect(first).toMatchObject({ subject: 'ada', pattern: 'board-*' });
      expect(second.id).toBeGreaterThan(first.id);
      expect(second.atMs).toBeGreaterThanOrEqual(first.atMs);
      expect(await bob.revocations.after(0)).toEqual([first, second]);
      expect(await bob.revocations.after(first.id)).toEqual([second]);
      expect(await bob.revocations.after(second.id)).toEqual([]);
    });

    it('L7: the same one made again is the youngest', async () => {
      const first = await alice.revocations.revoke('ada', '*');
      const other = await bob.revocations.revoke('ada', 'a');
      const again = await bob.revocations.revoke('ada', '*');
      expect(again.atMs).toBeGreaterThanOrEqual(first.atMs);
      expect(await alice.revocations.after(0)).toEqual([other, again]);
    });

    it('L7: ids rise in the order of the commits, also of those that are made at once', async () => {
      const [seen, end] = [new Set<number>(), 40];
      const made = Promise.all(
        Array.from({ length: end }, (_, n) => (n % 2 ? alice : bob).revocations.revoke(`user-${n}`, '*')),
      );
      for (let last = 0; seen.size < end;) {
        const rows = await bob.revocations.after(last);
        for (const { id } of rows) seen.add(id);
        last = rows.at(-1)?.id ?? last;
        if (rows.length === 0) await Promise.race([made, bob.revocations.after(last)]);
      }
      expect([...seen].sort((one, other) => one - other)).toEqual(
        (await made).map(({ id }) => id).sort((a, b) => a - b),
      );
    });

    it('L7: a renewal shows the id of the youngest', async () => {
      await alice.leases.join(NODE);
      expect(await alice.leases.renew(NODE.id)).toMatchObject({ kind: 'renewed', revoked: 0 });
      const { id } = await bob.revocations.revoke('ada', '*');
      expect(await alice.leases.renew(NODE.id)).toMatchObject({ kind: 'renewed', revoked: id });
    });
  });
}
