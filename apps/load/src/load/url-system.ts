/** A system elsewhere, seen through what it shows to everybody. */
import {
  PROTOCOL_VERSION,
  type DocumentId,
  type Entry,
  type EntriesReply,
  type OpenReply,
  type Seq,
} from '@homeport/protocol';
import { WireSocket } from '../measuring/wire-socket.js';
import { CommandError } from '../command.js';
import type { LogEntry, LogRow } from '../history/final-log.js';
import type { System } from './system.js';

const ANSWER_WITHIN_MS = 10_000;
const READING_AT_ONCE = 8;

export class UrlSystem implements System {
  readonly kind = 'url';
  readonly own = undefined;
  readonly unseen = [
    'rules 2 and 8: the epochs of the log, what each entry names as the one before it, and the slots of the nodes are not public',
  ];

  private constructor(
    readonly urls: readonly string[],
    private readonly token: string | undefined,
  ) {}

  /** Throws a `CommandError` where an address can not be reached or does not let us in. */
  static async reach(urls: readonly string[], token: string | undefined, prefix: string): Promise<UrlSystem> {
    for (const url of urls) await comeIn(url, token, prefix);
    return new UrlSystem(urls, token);
  }

  processes(): [] {
    return [];
  }

  async slots(): Promise<Record<string, number> | undefined> {
    // Only shown to whoever is on the same machine.
    const view = await this.#get<{ nodes: { name: string; slots: number }[] }>('/v1/cluster').catch(() => undefined);
    return view?.nodes && Object.fromEntries(view.nodes.map(({ name, slots }) => [name, slots]));
  }

  async finalLog(documents: readonly DocumentId[]): Promise<readonly LogRow[]> {
    const rows: LogRow[] = [];
    const left = [...documents].sort();
    const readOn = async (): Promise<void> => {
      for (let id = left.shift(); id !== undefined; id = left.shift()) rows.push(...(await this.#read(id)));
    };
    await Promise.all(Array.from({ length: READING_AT_ONCE }, readOn));
    return rows.sort((a, b) => (a.document < b.document ? -1 : a.document > b.document ? 1 : a.seq - b.seq));
  }

  spans(): Promise<[]> {
    return Promise.resolve([]);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  async #read(document: DocumentId): Promise<LogRow[]> {
    const rows: LogRow[] = [];
    const accepted = new Map<string, number>();
    for (let from = 1; ;) {
      const reply = await this.#get<EntriesReply>(`/v1/documents/${document}/entries?from=${from}`);
      if (!reply.ok) throw new Error(`the log of ${document} can not be read: ${reply.code}, ${reply.message}`);
      const { entries } = reply;
      if (entries.length === 0) return rows;
      rows.push({
        ...{ document, seq: entries[0]!.seq, toSeq: entries.at(-1)!.seq as Seq, epoch: 0 },
        entries: entries.map((entry) => withAfter(entry, accepted)),
      });
      from = entries.at(-1)!.seq + 1;
    }
  }

  /** Asks one node after the other. */
  async #get<Reply>(path: string): Promise<Reply> {
    let why: unknown;
    for (const url of this.urls)
      try {
        const headers = this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` };
        const response = await fetch(url + path, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
        return (await response.json()) as Reply;
      } catch (error) {
        why = error;
      }
    throw new Error(`nobody answers ${path}`, { cause: why });
  }
}

/** What the log holds and does not show: the accepted push of the session before this one. */
function withAfter(entry: Entry, accepted: Map<string, number>): LogEntry {
  const key = `${entry.session} ${entry.user}`;
  const after = accepted.get(key) ?? 0;
  if (entry.opNo > 0) accepted.set(key, entry.opNo);
  return { ...entry, after };
}

async function comeIn(url: string, token: string | undefined, prefix: string): Promise<void> {
  const wire = new WireSocket(url, { protocol: PROTOCOL_VERSION, ...(token !== undefined && { token }) });
  try {
    await new Promise<void>((done, failed) => {
      wire.onIn = done;
      wire.onRefused = (text) => failed(new CommandError(`${url} did not let us in: ${reasonOf(text)}`));
      wire.onEnd = (why) => failed(new CommandError(`${url} can not be reached: ${why || 'nobody answers there'}`));
      setTimeout(
        () => failed(new CommandError(`${url} can not be reached: no answer for ${ANSWER_WITHIN_MS / 1_000} s`)),
        ANSWER_WITHIN_MS,
      ).unref();
    });
    // An open creates nothing. A node that is not the owner has nothing to say against it.
    const reply = await wire.ask<OpenReply>('open', { document: `${prefix}may-i` });
    if (reply.ok ? reply.access !== 'write' : reply.code === 'forbidden')
      throw new CommandError(`${url} does not let us write to documents called ${prefix}…`);
  } finally {
    wire.close();
  }
}

function reasonOf(text: string): string {
  const { message, data } = JSON.parse(text) as { message?: string; data?: { code?: string; message?: string } };
  return data?.message ?? data?.code ?? message ?? text;
}
