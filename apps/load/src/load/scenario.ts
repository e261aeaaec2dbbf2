/** One thing that a load run can do. A scenario says who there is and what they do; the rest is the same for all. */
import type { Crowd } from './crowd.js';
import type { Direction } from './direction.js';
import type { Measured } from './measured.js';
import type { ResultFigure } from './run-result.js';

/** An option with a number, and what it is if nothing is said. */
export interface Size {
  readonly preset: number;
  readonly says: string;
  /** The lowest that makes sense [1]. */
  readonly from?: number;
  /** The highest [10 million]. */
  readonly to?: number;
  /** It need not be whole. */
  readonly isFraction?: true;
}

export type Sizes = Readonly<Record<string, number>>;
/** The value of one of the scenario's own sizes. */
export type SizeOf = (name: string) => number;

export interface Scenario {
  readonly name: string;
  /** One line for the list. */
  readonly says: string;
  readonly sizes: Readonly<Record<string, Size>>;
  /** Of its own cluster, if nothing is said. */
  readonly nodes: number;
  readonly nodesMin?: number;
  /** How long, if nothing is said. */
  readonly seconds: number;
  /** It breaks or restarts servers, which it only does to its own. */
  readonly breaks: boolean;
  /** Settings of its own servers. */
  settings?(size: SizeOf): Readonly<Record<string, string>>;
  /** How many sockets there are in all. */
  sessions(size: SizeOf): number;
  /** In every generator: its share of the people joins. Resolves when they are there. */
  populate(crowd: Crowd): Promise<void>;
  /** In every generator, when the direction says so. */
  readonly acts?: Readonly<Record<string, (crowd: Crowd) => Promise<void>>>;
  /** Once, while everybody works: what is done to the system. The run lasts at least as long. */
  direct?(direction: Direction): Promise<void>;
  /** The headline. */
  figures(measured: Measured): ResultFigure[];
}

export function sizeOf(sizes: Sizes): SizeOf {
  return (name) => {
    const size = sizes[name];
    if (size === undefined) throw new Error(`there is no size called ${name}`);
    return size;
  };
}
