import type { DocumentId } from '@homeport/protocol';

/** One more than the length of a socket id. */
const ROOM_CHARS_MIN = 21;

/**
 * The Socket.IO room of a document's sessions on this node. Prefixed, because a room named like a socket id would
 * receive what is meant for that socket; never of 20 characters, because the Redis adapter takes such a name for a
 * socket id. No document id holds the space that it is padded with.
 */
export function roomOf(document: DocumentId): string {
  return `d:${document}`.padEnd(ROOM_CHARS_MIN, ' ');
}

const RELAYED = 'r:';

/** The room of a document's sessions on nodes that are not its owner. It has no members at the owner. */
export function relayRoomOf(document: DocumentId): string {
  return `${RELAYED}${document}`.padEnd(ROOM_CHARS_MIN, ' ');
}

export function isRelayRoom(room: string): boolean {
  return room.startsWith(RELAYED);
}
