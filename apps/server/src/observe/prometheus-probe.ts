import { Probe, type HomeNode } from '@homeport/core';
import type { Logger } from 'pino';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From a fast commit on a local disk to the deadline of a flush. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 6];
const COUNTS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500];

/** What the system tells about itself, as Prometheus metrics and log lines. No metric carries the id of a document or a user. */
export class PrometheusProbe extends Probe {
  readonly registry = new Registry();

  readonly #pushes = this.#counter(
    'homeport_pushes_total',
    'Pushes answered, by outcome: ok or the code of the refusal',
    ['outcome'],
  );
  readonly #accepted = this.#pushes.labels('ok');
  readonly #ackSeconds = this.#histogram(
    'homeport_ack_seconds',
    'From the arrival of a push to its ack, after the commit',
    SECONDS,
  );
  readonly #flushes = this.#counter('homeport_flushes_total', 'Flushes, by outcome', ['outcome']);
  readonly #flushSeconds = this.#histogram('homeport_flush_seconds', 'Time that a flush took', SECONDS);
  readonly #flushEntries = this.#histogram('homeport_flush_entries', 'Entries in a flush', COUNTS);
  readonly #flushDocuments = this.#histogram('homeport_flush_documents', 'Documents in a flush', COUNTS);
  readonly #flushBytes = this.#counter('homeport_flush_bytes_total', 'Bytes of entries flushed', []);
  readonly #loadSeconds = this.#histogram('homeport_load_seconds', 'Time to load a document', SECONDS);
  readonly #checkpointSeconds = this.#histogram('homeport_checkpoint_seconds', 'Time that a checkpoint took', SECONDS);
  readonly #checkpointsFailed = this.#counter(
    'homeport_checkpoints_failed_total',
    'Checkpoints that did not end well',
    [],
  );
  readonly #moveSeconds = {
    taken_over: this.#histogram(
      'homeport_takeover_seconds',
      'From the decision to take slots over to their owner',
      SECONDS,
    ),
    handed_off: this.#histogram(
      'homeport_handoff_seconds',
      'For how long slots that were handed over stood still',
      SECONDS,
    ),
  };
  readonly #slotsMoved = this.#counter('homeport_slots_moved_total', 'Slots this node took over or handed off', [
    'how',
  ]);
  readonly #alarms = this.#counter('homeport_alarms_total', 'Events that somebody should look at', []);

  constructor(private readonly log: Logger) {
    super();
    collectDefaultMetrics({ register: this.registry });
  }

  /** What is in memory is asked for when somebody looks. */
  watch(node: HomeNode): void {
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(value());
        },
      });
    gauge('homeport_documents', 'Documents in memory', () => node.stats().documents);
    gauge('homeport_records', 'Records in memory', () => node.stats().records);
    gauge('homeport_document_bytes', 'Bytes of documents in memory', () => node.stats().bytes);
    gauge('homeport_sessions', 'Sessions with a socket', () => node.stats().sessions);
    gauge('homeport_pending_pushes', 'Pushes that wait for their commit', () => node.stats().pendingPushes);
    gauge('homeport_slots', 'Slots that this node has', () => node.stats().slots);
    gauge('homeport_relayed_documents', 'Documents of other nodes with sessions here', () => node.stats().relayed);
  }

  override pushed(outcome: string, tookMs: number): void {
    if (outcome !== 'ok') return this.#pushes.labels(outcome).inc();
    this.#accepted.inc();
    this.#ackSeconds.observe(tookMs / 1_000);
  }

  override flushed(flush: Parameters<Probe['flushed']>[0]): void {
    this.#flushes.labels(flush.outcome).inc();
    this.#flushSeconds.observe(flush.tookMs / 1_000);
    this.#flushEntries.observe(flush.entries);
    this.#flushDocuments.observe(flush.documents);
    this.#flushBytes.inc(flush.bytes);
  }

  override loaded({ tookMs }: Parameters<Probe['loaded']>[0]): void {
    this.#loadSeconds.observe(tookMs / 1_000);
  }

  override checkpointed({ tookMs, done }: Parameters<Probe['checkpointed']>[0]): void {
    this.#checkpointSeconds.observe(tookMs / 1_000);
    if (!done) this.#checkpointsFailed.inc();
  }

  override slotsMoved({ kind, slots, tookMs }: Parameters<Probe['slotsMoved']>[0]): void {
    this.#moveSeconds[kind].observe(tookMs / 1_000);
    this.#slotsMoved.labels(kind).inc(slots);
  }

  override tell(
    level: 'info' | 'warn' | 'alarm',
    message: string,
    detail: Readonly<Record<string, unknown>> = {},
  ): void {
    if (level === 'alarm') this.#alarms.inc();
    this.log[level === 'alarm' ? 'error' : level](detail, message);
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }
}
