/**
 * A planted bug: a node serves a slot for as long as it believes to own it, whatever its lease says. One that was cut off,
 * or hung, answers from memory while its slots belong to another.
 */
import { SlotKeeper } from '@homeport/core';

SlotKeeper.prototype.mayServe = function (this: SlotKeeper, slot) {
  return this.epochOf(slot) !== undefined;
};
