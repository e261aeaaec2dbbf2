/** A bus that counts what would go over Redis: as published, and as handed to everybody who subscribes. */
import { Bus, type BusListener, type BusMessage } from '@homeport/core';
import type { Traffic } from './traffic.js';

/** The seal, and the envelope around the body but for the name of the sender. */
const SEAL_BYTES = 32;
const ENVELOPE_BYTES = '{"from":"","at":1764030477000,"kind":"notice","id":0,"body":}'.length;

export class CountedBus extends Bus {
  #me = '';

  constructor(
    private readonly bus: Bus,
    private readonly redis: Traffic,
    /** How many subscribe to the channel of all. */
    private readonly listeners: () => number,
  ) {
    super();
  }

  override get isUp(): boolean {
    return this.bus.isUp;
  }

  override listen(me: string, listener: BusListener): Promise<void> {
    this.#me = me;
    return this.bus.listen(me, listener);
  }

  override ask(node: string, question: BusMessage, deadlineMs: number): Promise<BusMessage> {
    this.#count(question, 1);
    return this.bus.ask(node, question, deadlineMs);
  }

  /** Redis hands a notice for all to its sender, too, who drops it. */
  override tell(notice: BusMessage, node?: string): void {
    this.#count(notice, node === undefined ? this.listeners() : 1);
    this.bus.tell(notice, node);
  }

  #count(message: BusMessage, receivers: number): void {
    const bytes = SEAL_BYTES + ENVELOPE_BYTES + this.#me.length + JSON.stringify(message).length;
    this.redis.count(message['is'] as string, receivers, receivers * bytes);
  }
}
