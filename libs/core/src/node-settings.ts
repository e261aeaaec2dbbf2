import { DEFAULT_LEASE_SETTINGS, type LeaseSettings } from './cluster/slot-keeper.js';
import { DEFAULT_STEWARD_SETTINGS, type StewardSettings } from './cluster/steward.js';
import { DEFAULT_DOCUMENT_SETTINGS, type DocumentSettings } from './document/document-host.js';
import { DEFAULT_SESSION_SETTINGS, type SessionSettings } from './session/session.js';

export interface ClusterSettings extends StewardSettings {
  /** A node that came less than this ago is given nothing, unless there is no other. */
  readonly settleMs: number;
}

export type NodeSettings = DocumentSettings & SessionSettings & LeaseSettings & ClusterSettings;

export const DEFAULT_NODE_SETTINGS: NodeSettings = {
  ...DEFAULT_DOCUMENT_SETTINGS,
  ...DEFAULT_SESSION_SETTINGS,
  ...DEFAULT_LEASE_SETTINGS,
  ...DEFAULT_STEWARD_SETTINGS,
  settleMs: 3_000,
};
