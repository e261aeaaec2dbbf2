import type { System } from './system.js';

/** Starts the systems, in order, and stops those that were started, whatever happens. */
export async function withSystems<S extends System, T>(
  starts: readonly (() => Promise<S>)[],
  task: (systems: readonly S[]) => Promise<T>,
): Promise<T> {
  const systems: S[] = [];
  try {
    for (const start of starts) systems.push(await start());
    return await task(systems);
  } finally {
    await Promise.all(systems.map((system) => system.stop()));
  }
}
