export type Cancel = () => void;

/** Time as an argument. Two clocks are never compared with each other. */
export abstract class Clock {
  /** Milliseconds of a monotonic clock; only differences mean anything. It goes on while the process is suspended, where the platform can tell. */
  abstract monotonicMs(): number;
  /** Wall clock in ms since 1970, to show to people; never decides anything. */
  abstract wallMs(): number;
  /** Runs `task` once, `delayMs` from now; the answer undoes that. */
  abstract after(delayMs: number, task: () => void): Cancel;
}

/** A wait that resolves `delayMs` from now. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve));
}

/** Does it every `periodMs`, for the first time after one. The next is due before this one is done: a fault in one ends nothing. */
export function repeat(clock: Clock, periodMs: number, task: () => void): Cancel {
  let cancel: Cancel;
  const next = (): void => {
    cancel = clock.after(periodMs, () => {
      next();
      task();
    });
  };
  next();
  return () => cancel();
}
