import { Encoder, PacketType, type Packet } from 'socket.io-parser';
import { describe, expect, it } from 'vitest';
import { JsonEncoder, JsonText } from './json-encoder.js';

const ours = new JsonEncoder();
const theirs = new Encoder();

describe('JsonEncoder', () => {
  it('writes every packet that we send as Socket.IO does', () => {
    const packets: Packet[] = [
      { type: PacketType.CONNECT, nsp: '/', data: { sid: 'a' } },
      { type: PacketType.DISCONNECT, nsp: '/' },
      { type: PacketType.CONNECT_ERROR, nsp: '/', data: { message: 'no', data: { code: 'forbidden' } } },
      { type: PacketType.EVENT, nsp: '/', data: ['head', { document: 'board', seq: 1 }] },
      { type: PacketType.EVENT, nsp: '/other', id: 3, data: ['hello'] },
      { type: PacketType.ACK, nsp: '/', id: 0, data: [{ ok: true, text: 'naïve "quoted" \\ 😀' }] },
    ];
    for (const packet of packets) expect(ours.encode({ ...packet })).toEqual(theirs.encode({ ...packet }));
  });

  it('a payload that is text already is the same packet', () => {
    const payload = { document: 'board', entries: [{ ops: [{ op: 'put', key: 'k', value: 'é"\\' }] }] };
    const packet = { type: PacketType.EVENT, nsp: '/' };
    const text = ours.encode({ ...packet, data: ['entries', new JsonText(JSON.stringify(payload))] });
    expect(text).toEqual(theirs.encode({ ...packet, data: ['entries', payload] }));
  });
});
