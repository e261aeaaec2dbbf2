import { BusFailed, type BusMessage } from '@homeport/core';

/** Unanswered at a time. Beyond that a question fails at once. */
const QUESTIONS_MAX = 10_000;

interface Question {
  readonly node: string;
  readonly answered: (answer: BusMessage) => void;
  readonly failed: (error: BusFailed) => void;
  readonly deadline: NodeJS.Timeout;
}

/** The questions that were asked and not yet answered. Each ends once: by its answer, a failure, or its deadline. */
export class Questions {
  readonly #open = new Map<number, Question>();
  #lastId = 0;

  get count(): number {
    return this.#open.size;
  }

  ask(node: string, deadlineMs: number): { readonly id: number; readonly answer: Promise<BusMessage> } {
    const id = ++this.#lastId;
    const answer = new Promise<BusMessage>((answered, failed) => {
      if (this.#open.size >= QUESTIONS_MAX) {
        failed(new BusFailed(`${QUESTIONS_MAX} questions are not answered yet`));
        return;
      }
      const deadline = setTimeout(() => this.fail(id, node, `no answer within ${deadlineMs} ms`), deadlineMs);
      this.#open.set(id, { node, answered, failed, deadline });
    });
    return { id, answer };
  }

  /** Answers whether that question waited for that node. */
  answer(id: number, node: string, answer: BusMessage): boolean {
    const question = this.#end(id, node);
    question?.answered(answer);
    return question !== undefined;
  }

  fail(id: number, node: string, why: string): boolean {
    const question = this.#end(id, node);
    question?.failed(new BusFailed(`${node}: ${why}`));
    return question !== undefined;
  }

  failAll(why: string): void {
    for (const [id, { node }] of [...this.#open]) this.fail(id, node, why);
  }

  #end(id: number, node: string): Question | undefined {
    const question = this.#open.get(id);
    if (question?.node !== node) return undefined;
    this.#open.delete(id);
    clearTimeout(question.deadline);
    return question;
  }
}
