/**
 * What a load run shows while it runs. On a terminal it is a block that is drawn again in place; anywhere else, in a
 * log or a pipe, it is a plain line every few seconds.
 *
 * Nothing else may write to the same terminal until `end`.
 */
import type { Moment } from '../load/run-result.js';
import { LiveBlock } from './live-block.js';
import { clock, figure, inMs } from './words.js';

const PLAIN_EVERY_MS = 5_000;
/** Of a terminal that does not tell, or says 0. */
const SIZE = { columns: 80, rows: 24 };

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_BELOW = '\x1b[J';

export interface LiveProgress {
  readonly atMs: number;
  readonly note?: string;
}

export class LiveView {
  readonly #block: LiveBlock | undefined;
  /** How wide each line was that stands on the terminal now. */
  #shown: readonly number[] = [];
  #toldAtMs = -Infinity;
  #toldNote: string | undefined;
  readonly #showCursor = (): void => void this.out.write(SHOW_CURSOR);

  constructor(
    private readonly out: NodeJS.WriteStream,
    private readonly scenario: string,
    private readonly totalMs: number,
  ) {
    const { NO_COLOR, CI, TERM } = process.env;
    if (!out.isTTY || NO_COLOR || CI || TERM === 'dumb') return;
    this.#block = new LiveBlock(scenario, totalMs);
    out.write(HIDE_CURSOR);
    // However the process ends, it leaves a terminal with a cursor.
    process.once('exit', this.#showCursor);
  }

  show(moment: Moment, progress: LiveProgress): void {
    if (!this.#block) return this.#tell(moment, progress);
    const { columns, rows } = this.#size;
    // A line that fills the last column would be wrapped by some terminals; one more row than there is would scroll.
    const lines = this.#block.lines(moment, progress, columns - 1).slice(0, Math.max(1, rows - 1));
    this.out.write(`${this.#back()}${CLEAR_BELOW}${lines.map(({ text }) => `${text}\n`).join('')}`);
    this.#shown = lines.map(({ width }) => width);
  }

  /** The view gives way to these lines, and the terminal is as it was. */
  end(lines: readonly string[]): void {
    const text = lines.map((line) => `${line}\n`).join('');
    if (!this.#block) return void this.out.write(text);
    this.out.write(`${this.#back()}${CLEAR_BELOW}${text}${SHOW_CURSOR}`);
    this.#shown = [];
    process.off('exit', this.#showCursor);
  }

  get #size(): typeof SIZE {
    return { columns: this.out.columns || SIZE.columns, rows: this.out.rows || SIZE.rows };
  }

  /** To where the block begins. A terminal that was made narrower has wrapped the lines that stand there. */
  #back(): string {
    const { columns } = this.#size;
    const rows = this.#shown.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return rows > 0 ? `\x1b[${rows}A\r` : '\r';
  }

  #tell({ kinds }: Moment, { atMs, note }: LiveProgress): void {
    const isNews = note !== undefined && note !== this.#toldNote;
    if (!isNews && atMs - this.#toldAtMs < PLAIN_EVERY_MS) return;
    this.#toldAtMs = atMs;
    this.#toldNote = note;
    const parts = kinds.map(({ kind, perSecond, errorsPerSecond, p50, p99 }) => {
      const errors = errorsPerSecond > 0 ? ` errors ${figure(errorsPerSecond)}/s` : '';
      const latency = perSecond > 0 ? ` p50 ${inMs(p50)} p99 ${inMs(p99)}` : '';
      return `${kind} ${figure(perSecond)}/s${latency}${errors}`;
    });
    const time = `${clock(atMs)}/${clock(this.totalMs)}`;
    this.out.write(`${[`${this.scenario} ${time}`, ...parts, ...(note ? [note] : [])].join('  ')}\n`);
  }
}
