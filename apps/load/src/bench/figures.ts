/** Several measurements of one thing: drifting by a third from run to run is normal, so the middle one counts. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly all: readonly number[];
}

export function figureOf(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, all: values };
}

/** As `figureOf`, of the values that could be measured; undefined if none could. */
export function figureOfKnown(values: readonly (number | undefined)[]): Figure | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? figureOf(known) : undefined;
}

/** Each round's value of one system over the same round's value of another. */
export function ratioOf(over: readonly number[], under: readonly number[]): Figure {
  return figureOf(over.map((value, round) => value / under[round]!));
}

/** The median, and the spread around it. */
export function shown(figure: Figure | undefined, digits = 0): string {
  if (figure === undefined) return 'not measured here';
  const text = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: digits });
  return `${text(figure.median)} (${text(figure.min)} to ${text(figure.max)})`;
}
