/** 0, 1, 2 … below `count`. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
