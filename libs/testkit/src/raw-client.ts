import type { ClientToServer, Hello, ServerToClient } from '@homeport/protocol';
import { io, type Socket } from 'socket.io-client';
import { within } from './server-process.js';

export interface RawClientOptions {
  readonly token?: string;
  readonly session?: string;
  /** Anything, to see it refused. */
  readonly auth?: Readonly<Record<string, unknown>>;
  /** What a browser would say of the page that it is on. */
  readonly origin?: string;
}

/** How a server refused to let a client in. */
export class ConnectRefused extends Error {
  constructor(
    readonly code: string | undefined,
    message: string,
  ) {
    super(message);
  }
}

interface Received {
  readonly event: keyof ServerToClient;
  readonly payload: unknown;
}

type Reply = { readonly ok: boolean; readonly [field: string]: unknown };

const ANSWER_WITHIN_MS = 15_000;

/** A plain Socket.IO client, without any of the SDK: what a program in another language would be. It never reconnects. */
export class RawClient {
  readonly received: Received[] = [];
  readonly #watchers = new Set<() => void>();

  private constructor(
    private readonly socket: Socket,
    readonly hello: Hello,
  ) {}

  /** Resolves after `hello`; rejects with `ConnectRefused`. */
  static async connect(url: string, options: RawClientOptions = {}): Promise<RawClient> {
    const { token, session, auth, origin } = options;
    const socket = io(url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      auth: { protocol: 1, ...(token !== undefined && { token }), ...(session !== undefined && { session }), ...auth },
      ...(origin !== undefined && { extraHeaders: { Origin: origin } }),
    });
    const early: Received[] = [];
    const keepEarly = (event: keyof ServerToClient, payload: unknown) => early.push({ event, payload });
    socket.onAny(keepEarly);
    const hello = new Promise<Hello>((greeted, refused) => {
      socket.once('hello', greeted);
      socket.once('connect_error', (error: Error & { data?: { code?: string } }) =>
        refused(new ConnectRefused(error.data?.code, error.message)),
      );
    });
    try {
      const client = new RawClient(socket, await within(ANSWER_WITHIN_MS, 'hello', hello));
      socket.offAny(keepEarly);
      client.received.push(...early);
      socket.onAny((event: keyof ServerToClient, payload: unknown) => client.#take({ event, payload }));
      socket.on('disconnect', () => client.#look());
      return client;
    } catch (error) {
      socket.disconnect();
      throw error;
    }
  }

  get isConnected(): boolean {
    return this.socket.connected;
  }

  /** The reply to one message. */
  ask(event: keyof ClientToServer | (string & {}), ...payload: unknown[]): Promise<Reply> {
    const reply = this.socket.emitWithAck(event, ...payload) as Promise<Reply>;
    return within(ANSWER_WITHIN_MS, `the reply to ${event}`, reply);
  }

  /** A message without an acknowledgement. */
  tell(event: string, ...payload: unknown[]): void {
    this.socket.emit(event, ...payload);
  }

  /** The first message of this kind that `holds`, among those that came and those to come. */
  async seen(
    event: keyof ServerToClient,
    holds: (payload: never) => boolean = () => true,
    withinMs = ANSWER_WITHIN_MS,
  ): Promise<unknown> {
    const find = () => this.received.find((one) => one.event === event && holds(one.payload as never));
    await this.#until(`a message ${event}`, () => find() !== undefined, withinMs);
    return find()!.payload;
  }

  /** Resolves when the server has ended the connection. */
  ended(withinMs = ANSWER_WITHIN_MS): Promise<void> {
    return this.#until('the end of the connection', () => !this.socket.connected, withinMs);
  }

  /** Takes nothing from the network any more, until `resumeReading`: the kernel's buffers fill, then the server's. */
  stopReading(): void {
    this.#webSocket().pause();
  }

  resumeReading(): void {
    this.#webSocket().resume();
  }

  close(): void {
    this.socket.disconnect();
  }

  /** Socket.IO's client has no such thing; the `ws` that carries it has. */
  #webSocket(): { pause(): void; resume(): void } {
    const { transport } = this.socket.io.engine as unknown as { transport: { ws: { pause(): void; resume(): void } } };
    return transport.ws;
  }

  #take(one: Received): void {
    this.received.push(one);
    this.#look();
  }

  #look(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  async #until(what: string, holds: () => boolean, withinMs: number): Promise<void> {
    let watcher = () => {};
    const come = new Promise<void>(
      (resolve) =>
        (watcher = () => {
          if (holds()) resolve();
        }),
    );
    this.#watchers.add(watcher);
    watcher();
    try {
      await within(withinMs, what, come);
    } finally {
      this.#watchers.delete(watcher);
    }
  }
}
