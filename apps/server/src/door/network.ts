import { isIPv6 } from 'node:net';

/** Whom an address belongs to: itself, or its /64, which is what one IPv6 customer has at the least. */
export function networkOf(address: string | undefined): string {
  const plain = (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
  if (!isIPv6(plain)) return plain;
  const [head, tail] = plain
    .split('%', 1)[0]!
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':')));
  const zeros = tail && Array<string>(Math.max(0, 8 - head!.length - tail.length)).fill('0');
  return [...head!, ...(zeros ?? []), ...(tail ?? [])].slice(0, 4).join(':');
}
