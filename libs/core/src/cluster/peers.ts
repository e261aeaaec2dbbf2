import type { Cancel } from '../runtime/clock.js';
import type { NodeInfo } from './lease-table.js';

/** What a node can find out about another by its own address, where it listens. */
export abstract class Peers {
  /** Holds a connection to it and calls `broken` when that ends, until it is cancelled. Says nothing about why. */
  abstract watch(node: NodeInfo, broken: () => void): Cancel;

  /**
   * Whether its address refuses connections, several times in a row, where it accepted one before. False where one is
   * accepted, nothing answers, or nothing was ever accepted. Never rejects.
   */
  abstract refuses(node: NodeInfo): Promise<boolean>;
}
