const LEVELS = '▁▂▃▄▅▆▇█';

/** A character for each value, from 0 to the largest. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values);
  return values.map((value) => LEVELS[most > 0 ? Math.round((value / most) * (LEVELS.length - 1)) : 0]).join('');
}
