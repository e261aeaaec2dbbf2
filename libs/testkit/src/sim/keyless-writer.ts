import type { DocumentId, PushReply } from '@homeport/protocol';
import type { SimProcess } from './sim-process.js';
import type { ClusterSimulation } from './simulate-cluster.js';

/**
 * Whoever pushes over HTTP without an Idempotency-Key, at any node, each time as somebody else. Such a push has no number
 * by which its repetition could be known, so it must be stored at most once whatever happens on its way; one that was
 * refused for good, or is said to have moved, is not stored.
 */
export class KeylessWriter {
  readonly #run: ClusterSimulation;
  #written = 0;
  /** Where a push is under way. */
  readonly #asked = new Set<{ readonly process: SimProcess }>();
  #state: 'idle' | 'writing' = 'idle';
  stored = 0;

  constructor(run: ClusterSimulation) {
    this.#run = run;
  }

  /** Nothing of it will be stored any more, unless it is already. */
  get isSettled(): boolean {
    return [...this.#asked].every(({ process }) => process.state === 'dead');
  }

  start(documents: readonly DocumentId[]): void {
    this.#state = 'writing';
    this.#next(documents);
  }

  stop(): void {
    this.#state = 'idle';
  }

  #next(documents: readonly DocumentId[]): void {
    const { world, random } = this.#run;
    world.after(random.between(20, 300), () => {
      if (this.#state === 'idle') return;
      this.#push(random.pick(documents));
      this.#next(documents);
    });
  }

  #push(document: DocumentId): void {
    const { random, witness } = this.#run;
    const serving = this.#run.living.filter(({ isServing }) => isServing);
    if (serving.length === 0) return;
    const { node, process } = random.pick(serving);
    const session = `http.${++this.#written}`;
    const key = random.pick(['k1', 'k5']);
    const when = random.chance(0.2) ? { if: { absent: true as const } } : {};
    const ops = [{ op: 'put' as const, key, value: { n: this.#written, by: session, list: [] }, ...when }];
    const push = { user: session, session, writer: session, opNo: 0, after: 0, ops };
    const mine = { process };
    this.#asked.add(mine);
    const answered = (reply: PushReply): void => {
      this.#asked.delete(mine);
      if (process.state === 'dead') return;
      if (reply.ok) {
        this.stored++;
        witness.acked(document, session, 0, reply.position.seq);
      } else if (reply.code !== 'unavailable') witness.refused(document, session, 0);
    };
    process.receive(() => void node.directory.open(document, 'relay').push(push).then(answered));
  }
}
