import type { Writer } from './writer.js';

/** Each writer drags a shape, always with as many pushes under way: an answer lets the next go. For throughput alone. */
export class ClosedLoop {
  answered = 0;
  #state: 'going' | 'stopped' = 'going';
  #x = 0;

  static async start(writers: readonly Writer[], inFlight: number): Promise<ClosedLoop> {
    const loop = new ClosedLoop();
    for (const writer of writers) {
      await writer.write([{ op: 'put', key: 'shape:1', value: { x: 0, y: 0 } }]);
      for (let i = 0; i < inFlight; i++) loop.#push(writer);
    }
    return loop;
  }

  /** What is under way is still answered. */
  stop(): void {
    this.#state = 'stopped';
  }

  #push(writer: Writer): void {
    writer.push(move(++this.#x), () => {
      this.answered++;
      if (this.#state === 'going') this.#push(writer);
    });
  }
}

function move(x: number): string {
  return `[{"op":"patch","key":"shape:1","set":{"x":${x % 1_000},"y":${x % 777}},"unset":[]}]`;
}
