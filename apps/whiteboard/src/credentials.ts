/**
 * The token of this tab. It comes in the fragment of the address, which never reaches a server or its logs, and leaves
 * the address bar at once, so that nobody copies it along with the link. Without one, the server may let guests in.
 */
const KEY = 'homeport.token';

/** - `missing`  the server wants a token and lets no guests in.  - `refused`  it does not take the one we have */
export type TokenNeed = 'missing' | 'refused';

export function takeTokenFromAddress(): void {
  take();
  // A link with a token that is opened in the same tab changes only the fragment.
  addEventListener('hashchange', () => {
    if (take()) location.reload();
  });
}

function take(): boolean {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return false;
  sessionStorage.setItem(KEY, token);
  history.replaceState(null, '', location.pathname + location.search);
  return true;
}

export class Credentials {
  /** Set while the server lets nobody in without another token. */
  need: TokenNeed | undefined;
  #offered = false;

  /** For the SDK, which asks again when the last answer was refused or is about to end. */
  readonly token = async (): Promise<string | undefined> => {
    const kept = sessionStorage.getItem(KEY) ?? undefined;
    if (!this.#offered) {
      this.#offered = true;
      return kept;
    }
    if (kept !== undefined) return this.#needed('refused');
    const guest = await guestToken();
    if (guest === undefined) return this.#needed('missing');
    this.need = undefined;
    return guest;
  };

  use(token: string): void {
    sessionStorage.setItem(KEY, token);
    this.need = undefined;
    this.#offered = false;
  }

  #needed(need: TokenNeed): never {
    this.need = need;
    throw new Error('a token is needed');
  }
}

/** Undefined: guests are not let in. Throws while the server can not be asked. */
async function guestToken(): Promise<string | undefined> {
  const response = await fetch('/v1/guest', { method: 'POST' });
  if (response.status >= 500 || response.status === 429) throw new Error(`the server answered ${response.status}`);
  if (!response.ok) return undefined;
  const { token } = (await response.json()) as { token?: unknown };
  return typeof token === 'string' ? token : undefined;
}
