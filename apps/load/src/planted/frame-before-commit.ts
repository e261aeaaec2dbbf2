/**
 * A planted bug: a frame leaves before the flush that holds its entries has returned. Whoever sees it knows of something
 * that the log may never hold, and that no reader is shown before the commit.
 */
import { frameText } from '@homeport/core';
import { PostgresDocumentLog } from '@homeport/postgres';
import { RoomFanOut } from '../../../server/src/gateway/room-fan-out.js';

const append = PostgresDocumentLog.prototype.append;
const deliver = RoomFanOut.prototype.deliver;
const rooms = new Set<RoomFanOut>();

RoomFanOut.prototype.deliver = function (this: RoomFanOut, document, event, payloadText) {
  rooms.add(this);
  deliver.call(this, document, event, payloadText);
};

PostgresDocumentLog.prototype.append = function (this: PostgresDocumentLog, owner, batches) {
  for (const { document, entries } of batches) {
    const range = `"document":"${document}","from":${entries[0]!.seq},"to":${entries.at(-1)!.seq}`;
    const frame = `{${range},"entries":[${entries.map(frameText).join(',')}]}`;
    for (const room of rooms) deliver.call(room, document, 'entries', frame);
  }
  return append.call(this, owner, batches);
};
