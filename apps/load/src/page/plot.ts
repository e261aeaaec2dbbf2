/** A plot as data: made by the page's writer, drawn by the scripts in `browser/`. */
export interface Plot {
  readonly id: string;
  readonly title: string;
  /** One sentence: what is seen. */
  readonly says: string;
  readonly shape: 'lines' | 'stack' | 'histogram';
  /** Across is the time since the start, in seconds; of a histogram it is a latency in milliseconds, on a log scale. */
  readonly at: readonly number[];
  readonly lines: readonly PlotLine[];
  /** Of the values; upwards. */
  readonly unit: string;
  readonly scale: 'linear' | 'log';
  readonly bands: readonly PlotBand[];
  readonly marks: readonly PlotMark[];
  readonly isWide: boolean;
}

export interface PlotLine {
  readonly label: string;
  readonly colour: Colour;
  readonly isDashed: boolean;
  /** One for each `at`. Null: it was not asked just then, and the line goes on. 'gap': there was nothing, and it breaks. */
  readonly values: readonly (number | null | 'gap')[];
}

/** A span of time in which something was going on. */
export interface PlotBand {
  readonly kind: 'fault' | 'warm-up';
  readonly label: string;
  readonly from: number;
  readonly until: number;
}

/** A place across that has a name, such as a percentile. */
export interface PlotMark {
  readonly label: string;
  readonly at: number;
}

/** One of the eight that `page.css` gives, in light and in dark. */
export type Colour = 'c1' | 'c2' | 'c3' | 'c4' | 'c5' | 'c6' | 'c7' | 'c8';
