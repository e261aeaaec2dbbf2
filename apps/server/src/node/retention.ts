import type { PostgresDocumentLog } from '@homeport/postgres';
import type { Logger } from 'pino';

const EVERY_MS = 3_600_000;

/** Trims the log to its retention, at the start and every hour. One pass at a time; the next comes an hour after its end. */
export class Retention {
  #next: NodeJS.Timeout | undefined;
  #pass = Promise.resolve();
  #isOver = false;

  constructor(
    private readonly documents: PostgresDocumentLog,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#pass = this.#trim();
  }

  /** Resolves when no pass is under way. */
  async stop(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#next);
    await this.#pass;
  }

  async #trim(): Promise<void> {
    try {
      const batches = await this.documents.trim();
      if (batches > 0) this.log.info({ batches }, 'the log was trimmed');
    } catch (error) {
      this.log.warn(error, 'the log could not be trimmed; tried again in an hour');
    }
    if (!this.#isOver) this.#next = setTimeout(() => this.start(), EVERY_MS);
  }
}
