import type { Code } from '@homeport/protocol';

/** What the system tells about itself while it runs. Whoever listens counts and logs; nothing is decided here. */
export abstract class Probe {
  /** A push was answered: with its seq, or a refusal's code. `tookMs`: from its arrival to its answer. */
  abstract pushed(outcome: 'ok' | Code, tookMs: number): void;
  /** A flush came back. */
  abstract flushed(flush: {
    readonly documents: number;
    readonly entries: number;
    readonly bytes: number;
    readonly tookMs: number;
    readonly outcome: 'answered' | 'failed' | 'unknown';
  }): void;
  abstract loaded(load: { readonly records: number; readonly entries: number; readonly tookMs: number }): void;
  /** A checkpoint ended. */
  abstract checkpointed(checkpoint: {
    readonly records: number;
    readonly tookMs: number;
    readonly done: boolean;
  }): void;
  /** This node took slots over, or handed them to another. */
  abstract slotsMoved(move: {
    readonly kind: 'taken_over' | 'handed_off';
    readonly slots: number;
    readonly tookMs: number;
  }): void;
  /** Worth a line in the log; `alarm` is worth waking somebody. Never a payload, never a secret. */
  abstract tell(level: 'info' | 'warn' | 'alarm', message: string, detail?: Readonly<Record<string, unknown>>): void;
}
