/**
 * One live socket, from its `hello` to its end. It sends nothing after its end and delivers no answer after it, so
 * whoever holds an old channel can neither send a push twice nor hear a late word.
 *
 * While something is unanswered it listens for silence: 2 s without any message of the server. A slow database is no
 * silence: the owner's beacons go on.
 */
import type { ClientToServer, Hello } from '@homeport/protocol';
import type { Cancel, Clock } from './clock.js';
import type { DialedSocket } from './dialer.js';

export const SILENCE_MS = 2_000;

type EventName = keyof ClientToServer;
type MessageOf<E extends EventName> = Parameters<ClientToServer[E]>[0];
type AnswerOf<E extends EventName> = Parameters<ClientToServer[E]> extends [unknown, infer Answer] ? Answer : never;

export class Channel {
  readonly hello: Hello;
  readonly #socket: DialedSocket;
  readonly #clock: Clock;
  readonly #onSilence: () => void;
  #unanswered = 0;
  #heardMs: number;
  #watch: Cancel | undefined;
  #ended = false;

  constructor(hello: Hello, socket: DialedSocket, clock: Clock, onSilence: () => void) {
    this.hello = hello;
    this.#socket = socket;
    this.#clock = clock;
    this.#onSilence = onSilence;
    this.#heardMs = clock.monotonicMs();
  }

  send<E extends EventName>(event: E, message: MessageOf<E>): void {
    if (!this.#ended) this.#socket.send(event, message);
  }

  request<E extends EventName>(event: E, message: MessageOf<E>, answer: AnswerOf<E>): void {
    if (this.#ended) return;
    if (this.#unanswered++ === 0) {
      this.#heardMs = this.#clock.monotonicMs();
      if (this.#watch === undefined) this.#watchFor(SILENCE_MS);
    }
    let answered = false;
    this.#socket.request(event, message, (reply) => {
      if (this.#ended || answered) return;
      answered = true;
      this.#unanswered--;
      this.heard();
      (answer as (reply: unknown) => void)(reply);
    });
  }

  /** Any message came. */
  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  end(): void {
    this.#ended = true;
    this.#watch?.();
    this.#watch = undefined;
  }

  #watchFor(delayMs: number): void {
    const dueMs = this.#clock.monotonicMs() + delayMs;
    this.#watch = this.#clock.after(delayMs, () => {
      this.#watch = undefined;
      if (this.#unanswered === 0) return;
      const now = this.#clock.monotonicMs();
      // This timer itself came late: the machine slept or the page was throttled, and messages may be waiting behind it.
      if (now - dueMs > SILENCE_MS / 2) this.#heardMs = now;
      const leftMs = this.#heardMs + SILENCE_MS - now;
      if (leftMs > 0) this.#watchFor(leftMs);
      else this.#onSilence();
    });
  }
}
