/** What a node knows of the cluster, for people: the cluster page and its endpoint show it as it is. */
import type { NodeRow } from './lease-table.js';

export interface NodeLoad {
  readonly sessions: number;
  readonly documents: number;
  readonly pendingPushes: number;
}

export interface NodeView {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly state: NodeRow['state'];
  /** Slots that it owns by the map of the node that is asked. */
  readonly slots: number;
  /** Of the last heartbeat; undefined: none was heard for a while. */
  readonly load: NodeLoad | undefined;
}

export type ClusterEvent =
  | { readonly kind: 'joined' | 'left' | 'died'; readonly node: string }
  | {
      readonly kind: 'taken_over';
      readonly node: string;
      readonly from: string;
      readonly slots: number;
      readonly tookMs: number;
    }
  | {
      readonly kind: 'handed_off';
      readonly node: string;
      readonly from: string;
      readonly slots: number;
      readonly tookMs: number;
    };

export interface ClusterView {
  /** The node that was asked. */
  readonly me: string;
  /** By name. */
  readonly nodes: readonly NodeView[];
  /** The owner of each of the 1,024 slots, as an index into `nodes`; -1: nobody. */
  readonly slots: readonly number[];
  /** Raised whenever a slot gets an owner. */
  readonly version: number;
  /** The youngest last, at most 200. `at`: wall time in ms. */
  readonly timeline: readonly (ClusterEvent & { readonly at: number })[];
  readonly postgres: { readonly state: 'up' | 'away'; readonly renewalMs: number | undefined };
  /** `off`: this node runs without Redis. */
  readonly redis: { readonly state: 'up' | 'away' | 'off' };
}
