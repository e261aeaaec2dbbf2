/** The lines of the live view, as wide as there is room for: the columns that matter least go first. */
import type { Moment } from '../load/run-result.js';
import { sparkline } from './sparkline.js';
import { clock, figure, inMs } from './words.js';

const SPARK_SECONDS = 60;
const BAR_CHARS_MAX = 40;
const GAP = '  ';

type Style = 'plain' | 'bold' | 'soft' | 'good' | 'bad' | 'accent';
const CODES: Readonly<Record<Style, number>> = { plain: 0, bold: 1, soft: 2, good: 32, bad: 31, accent: 36 };

/** A piece of a line. */
interface Piece {
  readonly text: string;
  readonly style: Style;
}

export interface Line {
  /** With the codes of its colours. */
  readonly text: string;
  /** How many columns it takes. */
  readonly width: number;
}

export class LiveBlock {
  /** The rates of each kind, in the order in which the kinds were first seen. */
  readonly #rates = new Map<string, number[]>();
  #atMs = -1;

  constructor(
    private readonly scenario: string,
    private readonly totalMs: number,
  ) {}

  lines(moment: Moment, progress: { readonly atMs: number; readonly note?: string }, columns: number): Line[] {
    this.#remember(moment);
    const table = this.#table(moment, columns);
    const note: Piece[] = progress.note === undefined ? [] : [{ text: progress.note, style: 'accent' }];
    return [this.#head(progress.atMs, columns), note, ...table].map((pieces) => line(pieces, columns));
  }

  #remember({ atMs, kinds }: Moment): void {
    // A moment that is shown twice, for a new note, is one moment.
    if (atMs === this.#atMs) return;
    this.#atMs = atMs;
    for (const { kind } of kinds) if (!this.#rates.has(kind)) this.#rates.set(kind, []);
    for (const [kind, rates] of this.#rates) {
      rates.push(kinds.find((one) => one.kind === kind)?.perSecond ?? 0);
      if (rates.length > SPARK_SECONDS) rates.shift();
    }
  }

  #head(atMs: number, columns: number): Piece[] {
    const part = this.totalMs > 0 ? Math.min(1, Math.max(0, atMs / this.totalMs)) : 0;
    const left = atMs < this.totalMs ? `${clock(this.totalMs - atMs)} left` : 'finishing';
    const end = `${GAP}${String(Math.floor(part * 100)).padStart(3)} %${GAP}${left}`;
    const chars = Math.min(BAR_CHARS_MAX, columns - this.scenario.length - GAP.length - end.length);
    const done = Math.round(part * Math.max(0, chars));
    return [
      { text: `${this.scenario}${GAP}`, style: 'bold' },
      { text: '━'.repeat(done), style: 'good' },
      { text: '━'.repeat(Math.max(0, chars - done)), style: 'soft' },
      { text: end, style: 'plain' },
    ];
  }

  #table({ kinds }: Moment, columns: number): Piece[][] {
    const rows = [...this.#rates].map(([kind, rates]) => {
      const now = kinds.find((one) => one.kind === kind);
      const errors = now?.errorsPerSecond ?? 0;
      // Where nothing was answered there is no latency.
      const latency = now && now.perSecond > 0 ? [inMs(now.p50), inMs(now.p99)] : ['–', '–'];
      const cells = [figure(now?.perSecond ?? 0), ...latency, figure(errors)];
      return { kind, cells, hasErrors: errors > 0, rates };
    });
    const heads = ['per s', 'p50', 'p99', 'errors'];
    const kindChars = Math.max(...rows.map(({ kind }) => kind.length), 0);
    const widths = heads.map((head, i) => Math.max(head.length, 8, ...rows.map(({ cells }) => cells[i]!.length)));
    const used = kindChars + widths.reduce((sum, width) => sum + GAP.length + width, 0);
    const sparkChars = Math.min(SPARK_SECONDS, columns - used - GAP.length);
    const cell = (text: string, i: number): string => `${GAP}${text.padStart(widths[i]!)}`;
    const lastMinute = sparkChars >= 'last minute'.length ? `${GAP}last minute` : '';
    return [
      [{ text: `${' '.repeat(kindChars)}${heads.map(cell).join('')}${lastMinute}`, style: 'soft' }],
      ...rows.map(({ kind, cells, hasErrors, rates }): Piece[] => [
        { text: kind.padEnd(kindChars), style: 'bold' },
        { text: cells.slice(0, 3).map(cell).join(''), style: 'plain' },
        { text: cell(cells[3]!, 3), style: hasErrors ? 'bad' : 'soft' },
        { text: lastMinute ? `${GAP}${sparkline(rates.slice(-sparkChars))}` : '', style: 'accent' },
      ]),
    ];
  }
}

/** Cut at so many columns. What would move the cursor is not written. */
function line(pieces: readonly Piece[], columns: number): Line {
  let width = 0;
  const texts = pieces.map(({ text, style }) => {
    const cut = text.replace(/\p{Cc}/gu, ' ').slice(0, Math.max(0, columns - width));
    width += cut.length;
    return style === 'plain' || cut === '' ? cut : `\x1b[${CODES[style]}m${cut}\x1b[0m`;
  });
  return { text: texts.join(''), width };
}
