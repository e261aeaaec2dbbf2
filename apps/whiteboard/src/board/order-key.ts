/**
 * Excalidraw orders elements by keys of "fractional indexing": a first character that says how many digits the whole
 * part has (a…z for 2 to 27 characters, A…Z for 27 to 2), those digits, then a fraction that does not end in 0; all
 * digits in base 62. Its own check compares neighbours only, and a key that breaks these rules makes it throw later, in
 * the middle of showing a scene. So no key from outside gets in unchecked.
 */
const DIGITS = /^[0-9A-Za-z]+$/;
const SMALLEST = `A${'0'.repeat(26)}`;
const CHARS_MAX = 500;

export function isOrderKey(key: unknown): key is string {
  if (typeof key !== 'string' || key.length > CHARS_MAX || !DIGITS.test(key) || key === SMALLEST) return false;
  const wholeChars = wholeCharsOf(key.charCodeAt(0));
  if (wholeChars === undefined || key.length < wholeChars) return false;
  return key.length === wholeChars || !key.endsWith('0');
}

function wholeCharsOf(head: number): number | undefined {
  if (head >= 0x61 && head <= 0x7a) return head - 0x61 + 2;
  if (head >= 0x41 && head <= 0x5a) return 0x5a - head + 2;
  return undefined;
}

/** The order of the document: by index, then by id, so that two elements inserted at one place have one order everywhere. */
export function compareOrder(a: { index: string; id: string }, b: { index: string; id: string }): number {
  if (a.index !== b.index) return a.index < b.index ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
