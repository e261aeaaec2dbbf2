/** Writes a history to a file, one line of JSON per operation, and reads one back. */
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Operation } from './operation.js';

const LINES_PER_WRITE = 256;

export class Recorder {
  readonly #file: WriteStream;
  #lines: string[] = [];

  /** The file must not exist: a history is never mixed with an older one. */
  constructor(readonly path: string) {
    this.#file = createWriteStream(path, { flags: 'wx' });
    // Told by `close`: without a listener it would end the process.
    this.#file.on('error', () => {});
  }

  record(operation: Operation): void {
    this.#lines.push(JSON.stringify(operation));
    if (this.#lines.length >= LINES_PER_WRITE) this.#write();
  }

  /** Resolves when every line is with the operating system. Rejects when the file could not be written. */
  async close(): Promise<void> {
    if (this.#lines.length > 0) this.#write();
    this.#file.end();
    if (!this.#file.closed) await once(this.#file, 'close');
    if (this.#file.errored) throw this.#file.errored;
  }

  #write(): void {
    this.#file.write(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }
}

export async function readHistory(path: string): Promise<Operation[]> {
  const operations: Operation[] = [];
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity }))
    if (line !== '') operations.push(JSON.parse(line) as Operation);
  return operations;
}
