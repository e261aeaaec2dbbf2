export type Cancel = () => void;

/** Time as an argument, so that a test can drive it. */
export interface Clock {
  /** Only differences mean anything. */
  monotonicMs(): number;
  /** Ms since 1970: for token expiry and for people, never for order. */
  wallMs(): number;
  after(delayMs: number, task: () => void): Cancel;
  /** Runs `task` when the work at hand is done, before any timer or message. */
  soon(task: () => void): void;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (task) => queueMicrotask(task),
};
