export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Listener {
  /** A line of its output. */
  said(line: string, stream: 'stdout' | 'stderr'): void;
  /** The process is gone, beyond doubt. `pauseMs`: it is started again after so long; undefined: it stays down. */
  ended(exit: Exit, pauseMs: number | undefined): void;
}

/** A process that ends within `steadyMs` of its start doubles its pause. */
export interface Pauses {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly steadyMs: number;
}

export class Supervised {
  constructor(command: Command, listener: Listener, pauses?: Pauses);
  /** Of the present process; undefined while there is none. */
  get pid(): number | undefined;
  start(): void;
  stop(graceMs: number): Promise<Exit>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}
