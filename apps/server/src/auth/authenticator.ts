/**
 * Who is it, and what may they do? A bearer token answers both: `sub` is the user, `grants` the rights by document
 * pattern. Where no keys are set there is nothing to check, and everybody is the same user who may write everywhere.
 *
 * Never throws for a bad token; the answer is the refusal to send.
 */
import { randomUUID } from 'node:crypto';
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  SignJWT,
  type JWTPayload,
  type JWTVerifyOptions,
} from 'jose';
import { Identity, type Grants } from '@homeport/core';
import { LIMITS, refuse, type Refusal, type UserId } from '@homeport/protocol';
import type { AuthSettings, KeyServer } from '../config.js';
import { isAccessGrants } from './grants.js';
import { isUserId, USER_CHARS_MAX } from './user-id.js';

export type Authenticated = { readonly ok: true; readonly identity: Identity } | Refusal;

export interface IssuedToken {
  readonly token: string;
  readonly user: UserId;
  /** Wall clock, ms since 1970. */
  readonly expiresAt: number;
}

const GUEST_TOKEN_MS = 3_600_000;
/** Shorter than the deadline of a connect, so that who connects hears why. */
const JWKS_TIMEOUT_MS = 3_000;
const JWKS_RETRY_MS = 2_000;
const CLOCK_TOLERANCE_S = 5;
/** Public keys only: a shared secret never comes from a key server. */
const PUBLIC_KEY_ALGORITHMS = [
  'EdDSA',
  'Ed25519',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
];

export class Authenticator {
  readonly #secret: Uint8Array | undefined;
  readonly #published:
    { readonly keys: ReturnType<typeof createRemoteJWKSet>; readonly options: JWTVerifyOptions } | undefined;

  constructor(private readonly settings: AuthSettings) {
    if (settings.kind === 'open') return;
    this.#secret = settings.secret === undefined ? undefined : keyOf(settings.secret);
    this.#published = settings.keyServer && publishedBy(settings.keyServer);
  }

  async authenticate(token: string | undefined): Promise<Authenticated> {
    if (this.settings.kind === 'open') return { ok: true, identity: new Identity('dev', { '*': 'write' }, null) };
    if (token === undefined)
      return refuse.unauthenticated('a token is needed: `npm run token -- --help` says how to make one');
    if (token.length > LIMITS.tokenChars) return refuse.unauthenticated('the token is too long');
    try {
      return identityOf(await this.#claims(token));
    } catch (error) {
      if (error instanceof errors.JWTExpired) return refuse.unauthenticated('the token has expired');
      if (error instanceof errors.JWTClaimValidationFailed)
        return refuse.unauthenticated(`the token does not count here: \`${error.claim}\` is not as it must be`);
      if (
        error instanceof errors.JWKSTimeout ||
        !(error instanceof errors.JOSEError) ||
        error.code === 'ERR_JOSE_GENERIC'
      )
        return refuse.unavailable('the keys that tokens are checked with can not be fetched now', JWKS_RETRY_MS);
      return refuse.unauthenticated('the token is not valid');
    }
  }

  /** A token for somebody who has none, or the refusal where guests are not let in. */
  async admitGuest(): Promise<({ readonly ok: true } & IssuedToken) | Refusal> {
    if (this.settings.kind === 'open') return refuse.forbidden('this server is open: connect without a token');
    const { guestGrants, secret } = this.settings;
    if (guestGrants === undefined || secret === undefined)
      return refuse.forbidden('guests are not let in here: ask for a token');
    return { ok: true, ...(await issueToken(secret, `guest-${randomUUID()}`, guestGrants, GUEST_TOKEN_MS)) };
  }

  /** The algorithm in the token's head chooses between our two kinds of keys; each kind then takes its own algorithms only. */
  async #claims(token: string): Promise<JWTPayload> {
    const algorithm = algorithmOf(token);
    if (algorithm === 'HS256' && this.#secret) {
      const options = { algorithms: ['HS256'], clockTolerance: CLOCK_TOLERANCE_S };
      return (await jwtVerify(token, this.#secret, options)).payload;
    }
    if (algorithm !== 'HS256' && this.#published)
      return (await jwtVerify(token, this.#published.keys, this.#published.options)).payload;
    throw new errors.JOSEAlgNotAllowed('no key of this server is for that algorithm');
  }
}

function publishedBy({ url, issuer, audience }: KeyServer) {
  const options: JWTVerifyOptions = {
    algorithms: PUBLIC_KEY_ALGORITHMS,
    clockTolerance: CLOCK_TOLERANCE_S,
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  };
  return { keys: createRemoteJWKSet(url, { timeoutDuration: JWKS_TIMEOUT_MS }), options };
}

function algorithmOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).alg;
  } catch {
    throw new errors.JWTInvalid('this is not a token');
  }
}

export async function issueToken(
  secret: string,
  user: UserId,
  documents: Grants,
  lifeMs: number,
): Promise<IssuedToken> {
  const expiresAt = Math.floor((Date.now() + lifeMs) / 1000) * 1000;
  const token = await new SignJWT({ grants: { documents } })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(expiresAt / 1000)
    .sign(keyOf(secret));
  return { token, user, expiresAt };
}

function identityOf({ sub, exp, iat, grants }: JWTPayload): Authenticated {
  if (!isUserId(sub))
    return refuse.unauthenticated(`the token must name the user in \`sub\`, with 1 to ${USER_CHARS_MAX} characters`);
  const documents =
    typeof grants === 'object' && grants !== null ? (grants as { documents?: unknown }).documents : undefined;
  if (!isAccessGrants(documents))
    return refuse.unauthenticated('the token must carry grants such as {"documents":{"board-*":"write"}}');
  // It was issued by now, whatever its issuer's clock says: what is revoked later ends it.
  const issuedAtMs = typeof iat === 'number' ? Math.min(iat * 1000, Date.now()) : undefined;
  return { ok: true, identity: new Identity(sub, documents, exp === undefined ? null : exp * 1000, issuedAtMs) };
}

function keyOf(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}
