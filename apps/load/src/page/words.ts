/** Figures as people read them, on the page and in the terminal. */
const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const dayAndTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

/** Three digits that count, and never an exponent: 0.042, 1.25, 12.5, 125, 12,500. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 100) return grouped.format(value);
  return String(Number(value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3)));
}

export function counted(count: number, thing: string): string {
  return `${grouped.format(count)} ${thing}${count === 1 ? '' : 's'}`;
}

export function inMs(ms: number): string {
  return `${figure(ms)} ms`;
}

/** Minutes and seconds, as on a clock: 0:07, 12:30. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

export function lasting(ms: number): string {
  if (ms < 1_000) return inMs(Math.round(ms));
  if (ms < 60_000) return `${figure(ms / 1_000)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

export function gigabytes(bytes: number): string {
  return `${figure(bytes / 2 ** 30)} GB`;
}

/** What is no date is shown as it came. */
export function dateOf(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? iso : `${dayAndTime.format(at)} UTC`;
}
