import { Encoder, type Packet } from 'socket.io-parser';

/**
 * A payload that is JSON already. The name of its one field is its mark: over Redis it travels as a plain object, and is
 * known for what it is on the other side. No message of the protocol has a field of this name.
 */
export class JsonText {
  constructor(readonly jsonText: string) {}
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
  if (Array.isArray(data) && isJsonText(data[1])) return `["${data[0] as string}",${data[1].jsonText}]`;
  return JSON.stringify(data);
}

function isJsonText(payload: unknown): payload is JsonText {
  return typeof (payload as JsonText | null | undefined)?.jsonText === 'string';
}
