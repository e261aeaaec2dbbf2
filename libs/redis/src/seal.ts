/**
 * What keeps strangers out of the conversation of the nodes: whoever can reach Redis can publish on any channel, and
 * only who has the cluster's key can make a message that is taken for one of ours. It is not a secret channel: who
 * reaches Redis reads along. A message that was heard may be sent again, on its own channel.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

const CODE_BYTES = 32;
/** What the operator is told of a message that does not open. */
export const NOT_SEALED = 'a message without the seal of this cluster was dropped: is AUTH_SECRET the same everywhere?';
/** Between channel and body; no channel holds it. */
const END = Buffer.from([0]);

export class Seal {
  constructor(private readonly key: Buffer) {}

  /** The code, then the body. A message for one channel is none on another. */
  seal(channel: string, body: string): Buffer {
    const bytes = Buffer.from(body);
    return Buffer.concat([this.#code(channel, bytes), bytes]);
  }

  /** The body, or undefined: nobody of ours has sealed this. */
  open(channel: string, message: Buffer): Buffer | undefined {
    if (message.length < CODE_BYTES) return undefined;
    const body = message.subarray(CODE_BYTES);
    return timingSafeEqual(message.subarray(0, CODE_BYTES), this.#code(channel, body)) ? body : undefined;
  }

  #code(channel: string, body: Buffer): Buffer {
    return createHmac('sha256', this.key).update(channel).update(END).update(body).digest();
  }
}

/**
 * The key of a cluster, the same on every node without being told: made of the secret that signs tokens, and bound to
 * the namespace. Without a secret it is made of the namespace alone, which stands in the database and in the names of
 * the channels: it then keeps accidents out, such as another program or version on the same Redis, and no attacker.
 */
export function clusterKey(secret: string | undefined, namespace: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret ?? namespace, namespace, 'homeport cluster messages', CODE_BYTES));
}
