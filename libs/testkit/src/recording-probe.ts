import { Probe } from '@homeport/core';

export interface Told {
  readonly level: 'info' | 'warn' | 'alarm';
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A probe that keeps what it was told. */
export class RecordingProbe extends Probe {
  readonly told: Told[] = [];
  readonly flushes: Parameters<Probe['flushed']>[0][] = [];
  readonly checkpoints: Parameters<Probe['checkpointed']>[0][] = [];
  readonly loads: Parameters<Probe['loaded']>[0][] = [];
  readonly moves: Parameters<Probe['slotsMoved']>[0][] = [];
  readonly outcomes: string[] = [];

  get alarms(): readonly string[] {
    return this.told.flatMap(({ level, message }) => (level === 'alarm' ? [message] : []));
  }

  override pushed(outcome: string): void {
    this.outcomes.push(outcome);
  }

  override flushed(flush: Parameters<Probe['flushed']>[0]): void {
    this.flushes.push(flush);
  }

  override loaded(load: Parameters<Probe['loaded']>[0]): void {
    this.loads.push(load);
  }

  override checkpointed(checkpoint: Parameters<Probe['checkpointed']>[0]): void {
    this.checkpoints.push(checkpoint);
  }

  override slotsMoved(move: Parameters<Probe['slotsMoved']>[0]): void {
    this.moves.push(move);
  }

  override tell(level: Told['level'], message: string, detail: Told['detail'] = {}): void {
    this.told.push({ level, message, detail });
  }
}
