import { useEffect, useState } from 'react';
import { createClient, HomeportError, type Board, type Client } from '@homeport/client';
import type { AnyRecords } from '@homeport/client';
import { Credentials, type TokenNeed } from '../credentials.js';
import { readPerson } from '../person.js';
import type { Shown } from './people.js';

export type SharedBoard = Board<AnyRecords, Shown>;

export type Opening =
  | { readonly at: 'opening'; readonly reachable: boolean }
  | { readonly at: 'token-needed'; readonly need: TokenNeed; readonly use: (token: string) => void }
  | { readonly at: 'refused'; readonly error: unknown }
  | { readonly at: 'open'; readonly client: Client; readonly board: SharedBoard; readonly credentials: Credentials };

/** Opens the board and keeps it open as long as the page is shown. */
export function useBoard(id: string): Opening {
  const [opening, setOpening] = useState<Opening>({ at: 'opening', reachable: true });
  useEffect(() => {
    const credentials = new Credentials();
    const client = createClient({ token: credentials.token });
    const abort = new AbortController();
    const use = (token: string): void => {
      credentials.use(token);
      location.reload();
    };
    const stop = client.subscribeStatus(({ connection }) => {
      const { need } = credentials;
      setOpening((now) => {
        if (now.at === 'open' || now.at === 'refused') return now;
        return need ? { at: 'token-needed', need, use } : { at: 'opening', reachable: connection !== 'offline' };
      });
    });
    client
      .open<AnyRecords, Shown>(id, { presence: nobodyYet(), signal: abort.signal })
      .then((board) => setOpening({ at: 'open', client, board, credentials }))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) setOpening({ at: 'refused', error });
      });
    return () => {
      stop();
      abort.abort();
      client.close();
    };
  }, [id]);
  return opening;
}

function nobodyYet(): Shown {
  return { ...readPerson(), pointer: null, button: 'up', selected: [], editing: null };
}

export function wordsFor(error: unknown): string {
  return error instanceof HomeportError ? error.message.replace(/^\w+: /, '') : 'something went wrong';
}
