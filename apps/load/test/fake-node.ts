/** A node as far as a raw client sees one: a real Socket.IO server whose answers a test decides. */
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  LIMITS,
  PROTOCOL_VERSION,
  refuse,
  type ClientToServer,
  type DocumentId,
  type Epoch,
  type NodeRef,
  type OpenReply,
  type OpenRequest,
  type PresenceRequest,
  type PushReply,
  type PushRequest,
  type Seq,
  type ServerToClient,
} from '@homeport/protocol';
import { Server } from 'socket.io';

export class FakeNode {
  readonly opens: OpenRequest[] = [];
  readonly pushes: PushRequest[] = [];
  readonly presences: { readonly request: PresenceRequest; readonly wantsAnswer: boolean }[] = [];
  readonly closes: DocumentId[] = [];
  /** The `node` that each socket asked for. */
  readonly askedFor: (string | undefined)[] = [];
  greets = true;
  /** Who it says that it is, if not itself. */
  greetsAs: NodeRef | undefined;
  onOpen: (request: OpenRequest) => OpenReply | undefined = () => this.opened(1);
  onPush: (request: PushRequest) => PushReply | undefined = ({ opNo }) => this.pushed(opNo);

  private constructor(
    readonly name: string,
    private readonly http: HttpServer,
    private readonly io: Server<ClientToServer, ServerToClient>,
  ) {
    io.on('connection', (socket) => {
      const { node } = socket.handshake.query;
      this.askedFor.push(typeof node === 'string' ? node : undefined);
      const session = String(socket.handshake.auth['session']);
      if (this.greets)
        socket.emit('hello', {
          node: this.greetsAs ?? this.ref,
          session,
          user: 'ada',
          protocol: PROTOCOL_VERSION,
          limits: LIMITS,
        });
      socket.on('open', (request, ack) => {
        this.opens.push(request as OpenRequest);
        const reply = this.onOpen(request as OpenRequest);
        if (reply) ack(reply);
      });
      socket.on('close', ({ document }) => void this.closes.push(document));
      socket.on('presence', (request, ...more: unknown[]) => {
        this.presences.push({ request, wantsAnswer: more.length > 0 });
      });
      socket.on('push', (request, ack) => {
        this.pushes.push(request);
        const reply = this.onPush(request);
        if (reply) ack(reply);
      });
    });
  }

  static async start(name: string): Promise<FakeNode> {
    const http = createServer();
    const node = new FakeNode(name, http, new Server(http, { transports: ['websocket'] }));
    await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }
  get sockets(): number {
    return this.io.sockets.sockets.size;
  }
  get ref(): NodeRef {
    return { id: `${this.name}.1`, name: this.name, url: this.url };
  }

  opened(epoch: number, seq = 0): OpenReply {
    return {
      ...{ ok: true, access: 'write', owner: this.ref, epoch: epoch as Epoch, relayed: false },
      position: { timeline: 't', seq: seq as Seq },
      session: { accepted: 0, recent: [] },
      snapshot: { records: {} },
    };
  }

  moved(owner: FakeNode, epoch: number, afterMs = 0): OpenReply & PushReply {
    return refuse.moved(owner.ref, epoch as Epoch, afterMs);
  }

  pushed(seq: number): PushReply {
    return { ok: true, position: { timeline: 't', seq: seq as Seq } };
  }

  tellMoved(document: DocumentId, owner: FakeNode, epoch: number, afterMs = 0): void {
    this.io.emit('moved', { document, owner: owner.ref, epoch: epoch as Epoch, afterMs });
  }

  /** Ends every connection; others may come. */
  hangUp(): void {
    for (const socket of this.io.sockets.sockets.values()) socket.conn.close();
  }

  async stop(): Promise<void> {
    await this.io.close();
  }
}
