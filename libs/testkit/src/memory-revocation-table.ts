/** `RevocationTable` over a `MemoryDatabase`, by way of the link of its process. */
import { RevocationTable, type Revocation } from '@homeport/core';
import type { UserId } from '@homeport/protocol';
import type { MemoryDatabase } from './memory-database.js';
import type { MemoryLink } from './memory-link.js';

export class MemoryRevocationTable extends RevocationTable {
  readonly #link: MemoryLink;
  readonly #database: MemoryDatabase;

  constructor(link: MemoryLink) {
    super();
    this.#link = link;
    this.#database = link.database;
  }

  revoke(subject: UserId, pattern: string): Promise<Revocation> {
    return this.#link.send('revoke', () =>
      this.#database.transact(async (lock) => {
        await lock(['revocations']);
        const { revocations, youngestRevocation, clock } = this.#database;
        const made: Revocation = { id: youngestRevocation + 1, subject, pattern, atMs: clock.wallMs() };
        return { answer: made, write: () => void revocations.set(`${pattern} ${subject}`, made) };
      }),
    );
  }

  after(id: number): Promise<readonly Revocation[]> {
    return this.#link.send('revocations', () =>
      this.#database.transact(async () => {
        const younger = [...this.#database.revocations.values()].filter((revocation) => revocation.id > id);
        return { answer: younger.sort((one, other) => one.id - other.id) };
      }),
    );
  }
}
