/** The generators of a run, as the conductor has them: processes that are asked together and answer together. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromGenerator, GeneratorSecond, Plan, ToGenerator } from './messages.js';

type Kind = FromGenerator['kind'];
type Told<K extends Kind> = Extract<FromGenerator, { kind: K }>;

export interface GeneratorListener {
  second(generator: number, second: GeneratorSecond): void;
  violation(document: string, says: string): void;
}

export class Generators {
  readonly #children: ChildProcess[];
  readonly #listener: GeneratorListener;
  #asked: { readonly kind: Kind; readonly answers: FromGenerator[]; readonly done: () => void } | undefined;
  /** Rejects when one of them can not go on; it can still be asked. */
  readonly trouble: Promise<never>;
  #troubled: (error: Error) => void = () => {};
  /** Rejects when one of them is no more. */
  readonly #death: Promise<never>;
  #isOver = false;

  constructor(count: number, listener: GeneratorListener) {
    this.#listener = listener;
    this.trouble = new Promise((_, reject) => (this.#troubled = reject));
    let died: (error: Error) => void;
    this.#death = new Promise((_, reject) => (died = reject));
    // Somebody may look only later.
    for (const promise of [this.trouble, this.#death]) promise.catch(() => {});
    const main = fileURLToPath(new URL('./generator.js', import.meta.url));
    this.#children = Array.from({ length: count }, (_, index) => {
      const child = fork(main, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      child.on('message', (message: FromGenerator) => this.#heard(index, message));
      child.on('exit', (code, signal) => {
        if (this.#isOver) return;
        const error = new Error(`generator-${index + 1} ended (${signal ?? code})`);
        died(error);
        this.#troubled(error);
      });
      return child;
    });
  }

  get count(): number {
    return this.#children.length;
  }

  async prepare(planOf: (index: number) => Plan): Promise<Told<'ready'>[]> {
    return this.#ask('ready', (index) => ({ kind: 'prepare', plan: planOf(index) }));
  }

  go(startMs: number): void {
    this.#tell({ kind: 'go', startMs });
  }

  urls(urls: readonly string[]): void {
    this.#tell({ kind: 'urls', urls });
  }

  async act(act: string): Promise<void> {
    await this.#ask('acted', () => ({ kind: 'act', act }));
  }

  async waits(): Promise<Map<string, number>> {
    const longest = new Map<string, number>();
    for (const told of await this.#ask('waited', () => ({ kind: 'waits' })))
      for (const [document, ms] of told.longest) longest.set(document, Math.max(ms, longest.get(document) ?? 0));
    return longest;
  }

  /** Resolves when everything that was due until now is answered. Rejects when that does not come. */
  async flow(): Promise<void> {
    const told = await this.#ask('flowing', () => ({ kind: 'flow' }));
    const missing = told.map((one) => one.missing).find((one) => one !== undefined);
    if (missing !== undefined) throw new Error(missing);
  }

  quiet(): Promise<Told<'settled'>[]> {
    return this.#ask('settled', () => ({ kind: 'quiet' }));
  }

  finish(heads: ReadonlyMap<string, number> | undefined): Promise<Told<'finished'>[]> {
    const listed = heads ? [...heads] : null;
    return this.#ask('finished', () => ({ kind: 'finish', heads: listed }));
  }

  end(): void {
    this.#isOver = true;
    for (const child of this.#children) child.kill('SIGKILL');
  }

  /** One question at a time: a new one is asked when nobody waits for the old one any more. */
  async #ask<K extends Kind>(kind: K, question: (index: number) => ToGenerator): Promise<Told<K>[]> {
    const answers: FromGenerator[] = [];
    const answered = new Promise<void>((done) => (this.#asked = { kind, answers, done }));
    for (const [index, child] of this.#children.entries()) if (child.connected) child.send(question(index));
    await Promise.race([answered, this.#death]);
    return answers as Told<K>[];
  }

  #tell(message: ToGenerator): void {
    for (const child of this.#children) if (child.connected) child.send(message);
  }

  #heard(index: number, message: FromGenerator): void {
    switch (message.kind) {
      case 'second':
        return this.#listener.second(index, message);
      case 'violation':
        return this.#listener.violation(message.document, message.says);
      case 'trouble':
        return this.#troubled(new Error(message.why));
      default:
        if (this.#asked?.kind !== message.kind) return;
        this.#asked.answers.push(message);
        if (this.#asked.answers.length === this.count) this.#asked.done();
    }
  }
}
