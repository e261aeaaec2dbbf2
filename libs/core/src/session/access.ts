/**
 * Who may do what. Rights depend on (user, document id, action), never on existence: the answer for an absent document
 * is the same as for a present one. They are asked on every push, not once at open, so that a role that was taken away
 * is away at once.
 */
import type { Access, DocumentId, UserId } from '@homeport/protocol';

/** Document pattern → right. `*` matches any characters. The strongest pattern that matches wins. */
export type Grants = { readonly [pattern: string]: Access };

export class Identity {
  readonly #rules: readonly { readonly pattern: RegExp; readonly access: Access }[];

  /** Wall clock, ms since 1970. `expiresAtMs` null: never. `issuedAtMs`: left out, it is older than anything. */
  constructor(
    readonly user: UserId,
    readonly grants: Grants,
    readonly expiresAtMs: number | null,
    readonly issuedAtMs = -Infinity,
  ) {
    this.#rules = Object.entries(grants).map(([pattern, access]) => ({ pattern: glob(pattern), access }));
  }

  accessTo(document: DocumentId): Access | 'none' {
    let access: Access | 'none' = 'none';
    for (const rule of this.#rules) {
      if (!rule.pattern.test(document)) continue;
      if (rule.access === 'write') return 'write';
      access = 'read';
    }
    return access;
  }

  isExpired(wallMs: number): boolean {
    return this.expiresAtMs !== null && wallMs >= this.expiresAtMs;
  }
}

/** `*` is any run of characters. Runs of stars are one star, so that no pattern can be made slow. */
export function glob(pattern: string): RegExp {
  const parts = pattern.split(/\*+/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
