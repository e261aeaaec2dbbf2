/** A running checksum of texts (FNV-1a, 32 bits): what a session sent and what the log holds are compared by it. */
export const NO_TEXT = 0x811c9dc5;

export function addText(sum: number, text: string): number {
  let next = sum;
  for (let i = 0; i < text.length; i++) next = Math.imul(next ^ text.charCodeAt(i), 0x01000193);
  return next >>> 0;
}
