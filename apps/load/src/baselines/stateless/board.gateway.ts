import { Inject } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { EntriesFrame, Entry, OpenRequest, PushRequest, ReadRequest, SessionId, UserId } from '@homeport/protocol';
import type { Socket } from 'socket.io';
import { BoardTable, type Change } from './board-table.js';

/** What Homeport names the history of a Postgres by; here there is only one. */
const TIMELINE = '00000000-0000-4000-8000-000000000000.1';
const USER = 'guest' as UserId;

@WebSocketGateway()
export class BoardGateway {
  constructor(@Inject(BoardTable) private readonly table: BoardTable) {}

  @SubscribeMessage('open')
  open(@ConnectedSocket() socket: Socket, @MessageBody() { document, since }: OpenRequest): Promise<object> {
    return answer(async () => {
      // Before it is read, so that nothing is missed in between.
      await socket.join(document);
      if (since) {
        const tail = await this.table.entriesAbove(document, since.seq);
        const entries = tail.map((entry) => ({ ...entry, user: USER }));
        return { position: positionAt(entries.at(-1)?.seq ?? since.seq), tail: entries };
      }
      await this.table.open(document);
      const [seq, records] = await Promise.all([this.table.head(document), this.table.records(document)]);
      return { position: positionAt(seq), snapshot: { records } };
    });
  }

  @SubscribeMessage('push')
  push(@ConnectedSocket() socket: Socket, @MessageBody() push: PushRequest): Promise<object> {
    return answer(async () => {
      const { session } = socket.handshake.auth as { session: SessionId };
      const { document, opNo, ops } = push;
      const seq = await this.table.push(changeOf(push, session));
      const entry: Entry = { seq, session, opNo, user: USER, at: Date.now(), ops };
      socket.to(document).emit('entries', { document, from: seq, to: seq, entries: [entry] } satisfies EntriesFrame);
      return { position: positionAt(seq) };
    });
  }

  @SubscribeMessage('read')
  read(@MessageBody() { document, keys }: ReadRequest): Promise<object> {
    return answer(async () => ({ records: await this.table.records(document, keys) }));
  }
}

/** What goes wrong is an answer too: nobody waits for ever. */
async function answer(work: () => Promise<object>): Promise<object> {
  try {
    return { ok: true, ...(await work()) };
  } catch (error) {
    return { ok: false, code: 'unavailable', message: (error as Error).message };
  }
}

function positionAt(seq: number): object {
  return { timeline: TIMELINE, seq };
}

function changeOf({ document, opNo, ops }: PushRequest, session: SessionId): Change {
  const [op, ...more] = ops;
  if (op === undefined || more.length > 0) throw new Error('a push here is one op');
  const { key } = op;
  if (op.op === 'put') return { document, session, opNo, key, kind: 'put', value: op.value, ops };
  if (op.op === 'patch' && op.unset.length === 0)
    return { document, session, opNo, key, kind: 'patch', value: op.set, ops };
  throw new Error(`${op.op} is nothing that this server knows`);
}
