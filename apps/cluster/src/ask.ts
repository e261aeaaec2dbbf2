import type { ClusterView } from '@homeport/core';
import type { Place } from './round.js';

/** `locked`: it answers who has the ADMIN_TOKEN, and ours was not, or is not the one. */
export type Answer =
  | { readonly kind: 'view'; readonly view: ClusterView }
  | { readonly kind: 'locked'; readonly wasRefused: boolean }
  | { readonly kind: 'silent' };

const SILENT_MS = 2_000;

/** What a node says of the cluster. Never rejects. */
export async function ask({ url, name }: Place, token: string | undefined): Promise<Answer> {
  const address = `${url}/v1/cluster${name === undefined ? '' : `?node=${encodeURIComponent(name)}`}`;
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    const response = await fetch(address, { headers, cache: 'no-store', signal: AbortSignal.timeout(SILENT_MS) });
    if (response.status === 401 || response.status === 403) return { kind: 'locked', wasRefused: token !== undefined };
    if (!response.ok) return { kind: 'silent' };
    return { kind: 'view', view: (await response.json()) as ClusterView };
  } catch {
    return { kind: 'silent' };
  }
}
