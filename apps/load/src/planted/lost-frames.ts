/**
 * A planted bug: there are no beacons, and every fifth frame gets lost on its way. While others follow, the hole is seen
 * and mended; when it was the last one, nobody will ever tell.
 */
import { RoomFanOut } from '../../../server/src/gateway/room-fan-out.js';

const deliver = RoomFanOut.prototype.deliver;
let frames = 0;

RoomFanOut.prototype.deliver = function (this: RoomFanOut, document, event, payloadText) {
  if (event === 'head' || (event === 'entries' && ++frames % 5 === 0)) return;
  deliver.call(this, document, event, payloadText);
};
