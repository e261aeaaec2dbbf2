export { createClient, type Client, type ClientOptions, type OpenOptions } from './client.js';
export { Board, type Transaction } from './board.js';
export type { Committed } from './commit.js';
export { HomeportError, type ErrorCode } from './homeport-error.js';
export type { AckSample, BoardStatus, ClientStatus, ConnectionStatus } from './status.js';
export type {
  AnyRecords,
  Change,
  Origin,
  PresenceFields,
  RecordOf,
  WriteCondition,
  WriteOptions,
} from './record-types.js';
export type { Other, Others, Presence } from './presence.js';
export type { Cancel, Clock } from './clock.js';
export type { Random } from './random.js';
export type { Dialer, DialedSocket, SocketEvents } from './dialer.js';
