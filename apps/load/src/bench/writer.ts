/** One session that writes to one document and looks at its answers no closer than it must. */
import { LIMITS, PROTOCOL_VERSION, type Op, type OpenReply, type PushReply } from '@homeport/protocol';
import { WireSocket } from './wire-socket.js';

const OK = '{"ok":true';

export class Writer {
  readonly #wire: WireSocket;
  readonly #head: string;
  #opNo = 0;
  #unanswered = 0;
  readonly #waiting: (() => void)[] = [];
  /** The first thing that went wrong: a measurement with one is void. */
  failure: string | undefined;

  private constructor(
    wire: WireSocket,
    readonly document: string,
    /** The seq at which the document was opened. */
    readonly openedAt: number,
  ) {
    this.#wire = wire;
    this.#head = `{"document":"${document}","base":${openedAt},"opNo":`;
    wire.onEnd = (why) => (this.failure ??= why);
  }

  /** `hear` gets every frame of the document, as JSON text. */
  static async join(url: string, document: string, hear?: (frameText: string) => void): Promise<Writer> {
    const session = `bench-${crypto.randomUUID()}`;
    const wire = await WireSocket.connect(url, { protocol: PROTOCOL_VERSION, session });
    if (hear) wire.on('entries', hear);
    const reply = await wire.ask<OpenReply>('open', { document });
    if (!reply.ok) throw new Error(`open was refused: ${reply.message}`);
    return new Writer(wire, document, reply.position.seq);
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
    this.#wire.request('push', `${this.#head}${opNo},"after":${opNo - 1},"ops":${opsText}}`, (reply) => {
      this.#unanswered--;
      if (!reply.startsWith(OK)) this.failure ??= `push ${opNo} was answered ${reply}`;
      this.#waiting.shift()?.();
      answered();
    });
  }

  async write(ops: readonly Op[]): Promise<void> {
    const opNo = ++this.#opNo;
    const push = { document: this.document, base: this.openedAt, opNo, after: opNo - 1, ops };
    const reply = await this.#wire.ask<PushReply>('push', push);
    if (!reply.ok) throw new Error(`push was refused: ${reply.message}`);
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
