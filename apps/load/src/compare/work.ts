/** One kind of work that systems do in their turns, and what is read off it. */
import type { SystemName } from './systems/system.js';
import type { Turn } from './turn.js';

export interface Work {
  /** As `--only` names it. */
  readonly name: string;
  readonly says: string;
  /** Open at once, at the most. */
  readonly sockets: number;
  /** Who has turns at it; undefined: all. */
  readonly systems?: readonly SystemName[];
  readonly figures: readonly Figure[];
  /** Answers a value for each figure, by name, or throws why this turn is void. */
  play(turn: Turn): Promise<Readonly<Record<string, Value>>>;
}

export interface Value {
  /** Undefined where it is made of CPU, and the platform does not tell. */
  readonly value: number | undefined;
  /** Of the server's processes, per operation; undefined where the platform does not tell. */
  readonly cpuMicros?: number | undefined;
}

export interface Figure {
  readonly name: string;
  readonly says: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly pairings: readonly Pairing[];
}

export interface Pairing {
  readonly of: SystemName;
  readonly over: SystemName;
  readonly target?: Target;
}

/** What the project wants to reach: of the medians. */
export interface Target {
  readonly says: string;
  isReached(medians: { readonly ratio: number; readonly of: number; readonly over: number }): boolean;
}

export function ratioAtLeast(limit: number): Target {
  return { says: `≥ ${limit} ×`, isReached: ({ ratio }) => ratio >= limit };
}

export function ratioAtMost(limit: number): Target {
  return { says: `≤ ${limit} ×`, isReached: ({ ratio }) => ratio <= limit };
}

/** Of the value itself, whatever it is compared with. */
export function valueAtMost(limit: number, unit: string): Target {
  return { says: `itself ≤ ${limit} ${unit}`, isReached: ({ of }) => of <= limit };
}

export function valueAtLeast(limit: number, unit: string): Target {
  return { says: `itself ≥ ${limit} ${unit}`, isReached: ({ of }) => of >= limit };
}

export function atMostMore(limit: number, unit: string): Target {
  return { says: `at most ${limit} ${unit} more`, isReached: ({ of, over }) => of - over <= limit };
}

/** Whether one of these systems has turns at it. */
export function isFor({ systems }: Work, names: readonly SystemName[]): boolean {
  return systems === undefined || names.some((name) => systems.includes(name));
}

/** What is worth comparing of anything, with a target where there is one. */
export function pairings(
  targets: { readonly echo?: Target; readonly stateless?: Target; readonly relayed?: Target } = {},
): readonly Pairing[] {
  const pair = (of: SystemName, over: SystemName, target: Target | undefined): Pairing => ({
    of,
    over,
    ...(target && { target }),
  });
  return [
    pair('homeport', 'echo', targets.echo),
    pair('homeport', 'stateless', targets.stateless),
    pair('relayed', 'pinned', targets.relayed),
    pair('relayed', 'stateless', undefined),
  ];
}
