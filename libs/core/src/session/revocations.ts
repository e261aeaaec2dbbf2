/**
 * The rights that were taken away, as this node knows them. They are read from the database: at the start, when a renewal
 * of the lease shows that there are younger ones, and when another node says so. What is known counts at once, for it is
 * asked wherever a right is; who has a document open is looked at again by the node.
 */
import type { Access, DocumentId, UserId } from '@homeport/protocol';
import type { Probe } from '../runtime/probe.js';
import { glob, type Identity } from './access.js';
import type { Revocation, RevocationTable } from './revocation-table.js';

interface Rule {
  readonly matches: RegExp;
  readonly atMs: number;
}

export class Revocations {
  readonly #table: RevocationTable;
  readonly #probe: Probe;
  /** By subject and pattern. */
  readonly #rules = new Map<UserId, Map<string, Rule>>();
  #readTo = 0;
  #reading: Promise<ReadonlySet<UserId>> | undefined;
  #isTroubled = false;

  constructor(table: RevocationTable, probe: Probe) {
    this.#table = table;
    this.#probe = probe;
  }

  /** What the identity may do by its grants, as far as that was not taken away since its token was issued. */
  accessTo(identity: Identity, document: DocumentId): Access | 'none' {
    for (const { matches, atMs } of this.#rules.get(identity.user)?.values() ?? [])
      if (identity.issuedAtMs < atMs && matches.test(document)) return 'none';
    return identity.accessTo(document);
  }

  /** It is committed, and counts here, when this resolves. */
  async revoke(subject: UserId, pattern: string): Promise<Revocation> {
    const revocation = await this.#table.revoke(subject, pattern);
    this.#learn(revocation);
    return revocation;
  }

  /** All there are. Rejects where they can not be read: nobody is let in by rights that may have been taken away. */
  async readAtStart(): Promise<void> {
    this.#learnAll(await this.#table.after(0));
  }

  /** Whether the one with that id may not be known yet. */
  isBehind(id: number): boolean {
    return id > this.#readTo;
  }

  /** Reads those that came since; answers whom they are about. Never rejects: what can not be read now is read when asked again. */
  read(): Promise<ReadonlySet<UserId>> {
    this.#reading ??= this.#readOn().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readOn(): Promise<ReadonlySet<UserId>> {
    try {
      const revocations = await this.#table.after(this.#readTo);
      this.#learnAll(revocations);
      this.#isTroubled = false;
      return new Set(revocations.map(({ subject }) => subject));
    } catch (error) {
      if (!this.#isTroubled) this.#probe.tell('alarm', 'the revocations can not be read', { reason: String(error) });
      this.#isTroubled = true;
      return new Set();
    }
  }

  #learnAll(revocations: readonly Revocation[]): void {
    for (const revocation of revocations) this.#learn(revocation);
    this.#readTo = Math.max(this.#readTo, revocations.at(-1)?.id ?? 0);
  }

  #learn({ subject, pattern, atMs }: Revocation): void {
    const rules = this.#rules.get(subject) ?? new Map<string, Rule>();
    this.#rules.set(subject, rules);
    rules.set(pattern, { matches: glob(pattern), atMs: Math.max(atMs, rules.get(pattern)?.atMs ?? -Infinity) });
  }
}
