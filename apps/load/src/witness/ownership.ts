/**
 * Loaded into the built server with `node --import`: writes down each time that the node says that it may serve a slot.
 *
 * The word that counts is the answer of `mayServe`, at the moment of use; so nothing is asked of the server, and what it
 * would say if it were asked is nobody's business. Yeses in one epoch are one span, written in pieces of some
 * milliseconds: a node that is killed takes its last words with it, and no more.
 */
import { mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SlotKeeper } from '@homeport/core';
import { nowMs } from '../history/operation.js';
import type { Span } from '../history/span.js';

const WRITE_EVERY_MS = 20;

const folder = process.env['OWNERSHIP_SPANS'] ?? 'spans';
const node = `${process.env['NODE_NAME'] ?? 'node'}.${process.pid}`;
mkdirSync(folder, { recursive: true });
const file = openSync(join(folder, `${node}.spans`), 'ax');

type Piece = { -readonly [Field in keyof Span]: Span[Field] };
const pieces = new Map<number, Piece>();

const mayServe = SlotKeeper.prototype.mayServe;
SlotKeeper.prototype.mayServe = function (this: SlotKeeper, slot) {
  // Before it is asked: a process that is stopped in between must not seem to have said it later.
  const at = nowMs();
  const may = mayServe.call(this, slot);
  const epoch = may ? this.epochOf(slot) : undefined;
  if (epoch === undefined) return may;
  const piece = pieces.get(slot);
  if (piece?.epoch === epoch) piece.until = at;
  else {
    if (piece) write([piece]);
    pieces.set(slot, { node, slot, epoch, from: at, until: at });
  }
  return may;
};

setInterval(writeAll, WRITE_EVERY_MS).unref();
process.on('exit', writeAll);

function writeAll(): void {
  write([...pieces.values()]);
  pieces.clear();
}

function write(spans: readonly Span[]): void {
  if (spans.length > 0) writeSync(file, spans.map((span) => `${JSON.stringify(span)}\n`).join(''));
}
