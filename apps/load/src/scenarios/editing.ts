/** What people do on a board: they move shapes, type, and show where their pointer is. */
import type { DocumentId, JsonObject, Op } from '@homeport/protocol';
import type { Person } from '../load/person.js';

/** A text is ended here and the next one begun, so that records stay small. */
const TEXT_LETTERS = 200;
const LETTERS = 'the quick brown fox jumps over the lazy dog ';
/** Of ten pushes, so many are letters; the others move a shape. */
const LETTERS_OF_TEN = 3;

export class Editor {
  #moves = 0;
  #letters = 0;
  #pushes: number;

  constructor(
    readonly person: Person,
    readonly document: DocumentId,
    private readonly seat: number,
    private readonly shapes: number,
  ) {
    // Not everybody types at the same time.
    this.#pushes = seat * LETTERS_OF_TEN;
  }

  /** The time at which a change was due travels in it, so that whoever sees it knows how long it took. */
  drag(dueMs: number, done?: (isAccepted: boolean) => void): void {
    const key = shapeKey((this.seat + (this.#moves >> 5)) % this.shapes);
    const x = this.#moves++;
    const set = { x: x % 1_000, y: (x * 7) % 777, at: dueMs };
    this.person.push(this.document, [{ op: 'patch', key, set, unset: [] }], dueMs, 'push', done);
  }

  type(dueMs: number): void {
    const letter = LETTERS[this.#letters % LETTERS.length]!;
    const key = `text:${this.person.name}:${Math.floor(this.#letters / TEXT_LETTERS)}`;
    const isFirst = this.#letters++ % TEXT_LETTERS === 0;
    const op: Op = isFirst
      ? { op: 'put', key, value: { letters: [letter], at: dueMs } }
      : { op: 'append', key, field: 'letters', values: [letter] };
    this.person.push(this.document, [op], dueMs);
  }

  /** Drags, and types between. */
  work(dueMs: number): void {
    if (this.#pushes++ % 10 < LETTERS_OF_TEN) this.type(dueMs);
    else this.drag(dueMs);
  }

  point(dueMs: number): void {
    const cursor: JsonObject = { x: Math.round(dueMs % 1_000), y: Math.round((dueMs * 3) % 777), at: dueMs };
    this.person.point(this.document, cursor);
  }
}

/** The shapes that a board has from the start. */
export function furniture(shapes: number): Op[] {
  return Array.from({ length: shapes }, (_, i) => ({
    op: 'put',
    key: shapeKey(i),
    value: { x: 0, y: 0, w: 100, h: 60 },
  }));
}

function shapeKey(index: number): string {
  return `shape:${index}`;
}
