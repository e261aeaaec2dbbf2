import { Encoder, type Packet } from 'socket.io-parser';

/** A payload that is JSON already. */
export class JsonText {
  constructor(readonly text: string) {}
}

/**
 * Socket.IO's encoder, for what this server sends: a payload that is text already is not made into text again, and
 * nothing is searched for binary attachments, of which there are none.
 */
export class JsonEncoder extends Encoder {
  override encode({ type, nsp, id, data }: Packet): string[] {
    const namespace = nsp === '/' ? '' : `${nsp},`;
    return [`${type}${namespace}${id ?? ''}${data === undefined ? '' : dataText(data)}`];
  }
}

function dataText(data: unknown): string {
  if (Array.isArray(data) && data[1] instanceof JsonText) return `["${data[0] as string}",${data[1].text}]`;
  return JSON.stringify(data);
}
