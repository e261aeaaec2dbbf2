/** Several measurements of one thing: drifting by a third from run to run is normal, so the middle one counts. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly all: readonly number[];
}

/** Undefined if there are no values. */
export function figureOf(all: readonly number[]): Figure | undefined {
  const sorted = [...all].sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, all };
}

/** Each round's value of one system over the same round's value of another, for the rounds that both have. */
export function ratioOf(over: Figure | undefined, under: Figure | undefined): Figure | undefined {
  const pairs = Math.min(over?.all.length ?? 0, under?.all.length ?? 0);
  return figureOf(Array.from({ length: pairs }, (_, round) => over!.all[round]! / under!.all[round]!));
}

/** The median, and the spread around it. */
export function shown(figure: Figure | undefined, digits: number): string {
  if (figure === undefined) return 'not measured';
  const text = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: digits });
  if (figure.all.length === 1) return text(figure.median);
  return `${text(figure.median)} (${text(figure.min)} to ${text(figure.max)})`;
}
