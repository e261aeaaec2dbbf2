/** What is under load: a cluster of the run's own, or one elsewhere that is only known by its addresses. */
import type { DocumentId } from '@homeport/protocol';
import type { LogRow } from '../history/final-log.js';
import type { Span } from '../history/span.js';
import type { OwnSystem } from './own-system.js';

export interface System {
  readonly kind: 'own' | 'url';
  /** The nodes that should answer at present. */
  readonly urls: readonly string[];
  /** The processes of its servers, and of what they stand on; empty where they are out of sight. */
  processes(): readonly SystemProcess[];
  /** Slots by name of node; undefined where that can not be asked now. */
  slots(): Promise<Readonly<Record<string, number>> | undefined>;
  /** Every entry of these documents. Rejects when it can not be read. */
  finalLog(documents: readonly DocumentId[]): Promise<readonly LogRow[]>;
  /** What the nodes said of their slots. */
  spans(): Promise<readonly Span[]>;
  /** What can not be checked of it, in a line each. */
  readonly unseen: readonly string[];
  /** Itself, if it is the run's own. */
  readonly own: OwnSystem | undefined;
  stop(): Promise<void>;
}

export interface SystemProcess {
  readonly name: string;
  readonly pid: number;
  /** Where its metrics are, if it has some. */
  readonly url: string | undefined;
}
