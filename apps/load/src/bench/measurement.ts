import type { Row } from '../measuring/table.js';

/** One thing that the benchmark measures. */
export interface Measurement {
  readonly name: string;
  readonly says: string;
  run(bench: Bench): Promise<Measured>;
}

/** What a measurement is given. */
export interface Bench {
  /** Fewer and shorter rounds: to see that it works, not to quote. */
  readonly quick: boolean;
  readonly tell: (line: string) => void;
  /** A span in which something is measured. Rejects when the benchmark is interrupted. */
  span(ms: number): Promise<void>;
  /** Plays the rounds one after the other. An interruption ends them early: what was measured until then is reported. */
  rounds(count: number, play: (round: number) => Promise<void>): Promise<void>;
}

export interface Measured {
  readonly rows: readonly Row[];
  /** Every value behind the rows. */
  readonly raw: object;
}
