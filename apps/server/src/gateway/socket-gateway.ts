/**
 * The door for sockets. It knows who a socket is before it lets it in, and then hands every message to the session in
 * the tick in which it came; it holds no rule of the domain.
 *
 * Listeners are registered in `handleConnection`, by hand: `@SubscribeMessage` runs each message through promises of its
 * own, which reorders two messages of one socket. Nest's global guards, pipes and filters do not reach gateways.
 */
import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection, type OnGatewayInit } from '@nestjs/websockets';
import { HomeNode, type Session } from '@homeport/core';
import {
  parseHandshake,
  parseToken,
  PROTOCOL_VERSION,
  refuse,
  type Refusal,
  type TokenReply,
} from '@homeport/protocol';
import type { Logger } from 'pino';
import { Authenticator } from '../auth/authenticator.js';
import { Door } from '../door/door.js';
import { LOG } from '../observe/log.js';
import { SocketChannel } from './socket-channel.js';
import type { HomeSocket, HomeSocketServer } from './socket-server.js';
import { WriteTogether } from './write-together.js';

type Ack = (reply: object) => void;

const RETRY_AFTER_MS = 1_000;

@WebSocketGateway()
export class SocketGateway implements OnGatewayInit, OnGatewayConnection {
  readonly #greeted = new WeakSet<HomeSocket['conn']>();
  readonly #writes = new WriteTogether();

  constructor(
    private readonly node: HomeNode,
    private readonly authenticator: Authenticator,
    private readonly door: Door,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  afterInit(io: HomeSocketServer): void {
    io.engine.on('connection_error', ({ message, code }: { message: string; code: number }) =>
      this.log.debug({ code, reason: message }, 'a connection was refused'),
    );
    io.use((socket, next) => {
      this.#admit(socket).then(
        (refusal) => next(refusal && connectError(refusal)),
        (error: unknown) => {
          this.log.error(error, 'a handshake failed');
          next(connectError(refuse.unavailable('the handshake failed', RETRY_AFTER_MS)));
        },
      );
    });
  }

  handleConnection(socket: HomeSocket): void {
    socket.on('error', (error) => this.log.debug(error, 'a socket failed'));
    this.#writes.add(socket);
    const channel = new SocketChannel(socket);
    socket.data.channel = channel;
    const session = this.node.connect(channel, socket.data.identity, socket.data.session);
    socket.on('disconnect', () => this.node.disconnect(session));
    socket.onAny((event: string, ...args: unknown[]) => this.#receive(session, event, args));
  }

  /** The refusal, or undefined: the socket may come in. */
  async #admit(socket: HomeSocket): Promise<Refusal | undefined> {
    // A second CONNECT while the first is being looked at would make a second socket on this connection.
    if (this.#greeted.has(socket.conn)) return refuse.invalid('', 'connect once');
    this.#greeted.add(socket.conn);
    const tooMany = this.door.connection(socket.handshake.address);
    if (tooMany) return tooMany;
    const handshake = parseHandshake(socket.handshake.auth);
    if (!handshake.ok) return handshake;
    const { protocol, token, session } = handshake.value;
    if (protocol !== PROTOCOL_VERSION)
      return refuse.unsupportedProtocol(
        `this server speaks version ${PROTOCOL_VERSION}, not ${protocol}: update the client`,
      );
    const authenticated = await this.authenticator.authenticate(token);
    if (!authenticated.ok) return authenticated;
    if (this.node.state !== 'serving') return refuse.unavailable('this node is going away', RETRY_AFTER_MS);
    socket.data.identity = authenticated.identity;
    socket.data.session = session;
    return undefined;
  }

  /** One object and an acknowledgement, but for presence, which has none: what is not so is refused or dropped. */
  #receive(session: Session, event: string, args: unknown[]): void {
    const last = args.at(-1);
    const ack = typeof last === 'function' ? (last as Ack) : undefined;
    if (!ack && event !== 'presence') return;
    if (args.length !== (ack ? 2 : 1)) {
      ack?.(refuse.invalid('', 'an event carries one object'));
      return;
    }
    try {
      const reply = event === 'token' ? this.#renew(session, args[0]) : session.receive(event, args[0]);
      reply?.then(ack, (error: unknown) => this.#failed(event, error, ack));
    } catch (error) {
      this.#failed(event, error, ack);
    }
  }

  /** A bug: it costs one message, not the process. */
  #failed(event: string, error: unknown, ack: Ack | undefined): void {
    this.log.error(error, `${event} failed`);
    ack?.(refuse.unavailable('the request failed', RETRY_AFTER_MS));
  }

  async #renew(session: Session, payload: unknown): Promise<TokenReply> {
    const request = parseToken(payload);
    if (!request.ok) return request;
    const authenticated = await this.authenticator.authenticate(request.value.token);
    if (!authenticated.ok) return authenticated;
    const { identity } = authenticated;
    return session.renew(identity) ?? { ok: true, expiresAt: identity.expiresAtMs };
  }
}

function connectError(refusal: Refusal): Error {
  const { ok: _, ...data } = refusal;
  return Object.assign(new Error(refusal.message), { data });
}
