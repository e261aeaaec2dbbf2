/**
 * Reads frames that many sockets receive: the same text is parsed once, for the first of them. Each entry tells in its
 * first op when it was meant to be sent (`sentMs`), so its arrival tells how long it took.
 */
import type { EntriesFrame } from '@homeport/protocol';
import type { Latencies } from './latencies.js';

export interface Receiver {
  hear(frameText: string): void;
  /** Entries that have arrived. */
  readonly heard: number;
  /** Whether each frame began where the one before it had ended. */
  readonly inOrder: boolean;
}

export class FrameReader {
  #text = '';
  #from = 0;
  #to = 0;
  #sentMs: number[] = [];
  deliveries = 0;
  /** What is counted from now on; undefined: nothing. */
  latencies: Latencies | undefined;

  receiver(openedAt: number): Receiver {
    let seq = openedAt;
    let heard = 0;
    let inOrder = true;
    return {
      hear: (text) => {
        this.#read(text);
        if (this.#from !== seq + 1) inOrder = false;
        seq = this.#to;
        heard += this.#sentMs.length;
        this.deliveries += this.#sentMs.length;
        if (this.latencies === undefined) return;
        const now = performance.now();
        for (const sentMs of this.#sentMs) this.latencies.record(now - sentMs);
      },
      get heard() {
        return heard;
      },
      get inOrder() {
        return inOrder;
      },
    };
  }

  #read(text: string): void {
    if (text === this.#text) return;
    const frame = JSON.parse(text) as EntriesFrame;
    this.#text = text;
    this.#from = frame.from;
    this.#to = frame.to;
    this.#sentMs = frame.entries.map(({ ops: [op] }) => (op?.op === 'patch' ? Number(op.set['sentMs']) : Number.NaN));
    if (this.#sentMs.length !== frame.to - frame.from + 1) throw new Error('a frame lacks entries');
  }
}
