/** One session that writes to one document and looks at its answers no closer than it must. */
import {
  LIMITS,
  PROTOCOL_VERSION,
  type DocumentId,
  type Op,
  type OpenReply,
  type OpenRequest,
  type Position,
  type SessionId,
} from '@homeport/protocol';
import { addText, NO_TEXT } from './text-sum.js';
import { WireSocket } from './wire-socket.js';

const OK = '{"ok":true';

export class Writer {
  readonly #wire: WireSocket;
  readonly #head: string;
  readonly #acked: number[] = [];
  #opsSum = NO_TEXT;
  #opNo = 0;
  #unanswered = 0;
  readonly #waiting: (() => void)[] = [];
  #abandonWrite: (error: Error) => void = () => {};
  /** The first thing that went wrong: a measurement with one is void. */
  failure: string | undefined;

  private constructor(
    wire: WireSocket,
    readonly session: SessionId,
    readonly document: DocumentId,
    /** Where the document was when it was opened. */
    readonly opened: Position,
  ) {
    this.#wire = wire;
    this.#head = `{"document":"${document}","base":${opened.seq},"opNo":`;
    wire.onEnd = (why) => {
      this.failure ??= why;
      this.#abandonWrite(new Error(why));
    };
  }

  /** `hear` gets every frame of the document, as JSON text. `how`: what else its `open` says. */
  static async join(
    url: string,
    document: string,
    hear?: (frameText: string) => void,
    how?: Pick<OpenRequest, 'pin' | 'epoch'>,
  ): Promise<Writer> {
    const session = `compare-${crypto.randomUUID()}`;
    const wire = await WireSocket.connect(url, { protocol: PROTOCOL_VERSION, session });
    if (hear) wire.on('entries', hear);
    const reply = await wire.ask<OpenReply>('open', { document, ...how });
    if (!reply.ok) throw new Error(`open was refused: ${reply.message}`);
    return new Writer(wire, session, document, reply.position);
  }

  get openedAt(): number {
    return this.opened.seq;
  }

  /** Of each push, by opNo - 1: the seq that it was acknowledged with. */
  get acked(): readonly number[] {
    return this.#acked;
  }
  /** Of the texts of all pushes, one after the other. */
  get opsSum(): number {
    return this.#opsSum;
  }
  /** Pushes that were asked for and have no answer yet. */
  get unanswered(): number {
    return this.#unanswered + this.#waiting.length;
  }

  /**
   * `opsText`: the ops as JSON text. Every push is accepted, so each follows the one before it. Beyond what a session
   * may have unanswered they wait here: whoever counts from the intended time counts that too.
   */
  push(opsText: string, answered: () => void): void {
    if (this.#unanswered >= LIMITS.pendingPushes) this.#waiting.push(() => this.#send(opsText, answered));
    else this.#send(opsText, answered);
  }

  #send(opsText: string, answered: () => void): void {
    const opNo = ++this.#opNo;
    this.#unanswered++;
    this.#opsSum = addText(this.#opsSum, opsText);
    this.#wire.request('push', `${this.#head}${opNo},"after":${opNo - 1},"ops":${opsText}}`, (reply) => {
      this.#unanswered--;
      if (reply.startsWith(OK)) this.#acked[opNo - 1] = lastNumber(reply);
      else this.failure ??= `push ${opNo} was answered ${reply}`;
      this.#waiting.shift()?.();
      answered();
    });
  }

  /** Resolves when the push is acknowledged; rejects when it is refused, or the connection ends. */
  write(ops: readonly Op[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#abandonWrite = reject;
      this.push(JSON.stringify(ops), () => (this.failure === undefined ? resolve() : reject(new Error(this.failure))));
    });
  }

  /** Something else than a push, on the same socket: the answer as JSON text. Rejects when the connection ends. */
  ask(event: string, payload: object): Promise<string> {
    return this.#wire.askText(event, JSON.stringify(payload));
  }

  close(): void {
    this.#wire.close();
  }
}

/** Throws what went wrong in any of them. */
export function assertSound(writers: readonly Writer[]): void {
  const failure = writers.map((writer) => writer.failure).find((found) => found !== undefined);
  if (failure !== undefined) throw new Error(failure);
}

/** The seq of `{"ok":true,"position":{"timeline":"…","seq":123}}`, without parsing what stands before it. */
function lastNumber(reply: string): number {
  return Number(reply.slice(reply.lastIndexOf(':') + 1, reply.indexOf('}')));
}
