import { randomBytes } from 'node:crypto';
import { Random } from '@homeport/core';

export class SystemRandom extends Random {
  override next(): number {
    return Math.random();
  }

  /** 128 bits of chance. */
  override id(): string {
    return BigInt(`0x${randomBytes(16).toString('hex')}`)
      .toString(36)
      .padStart(25, '0');
  }
}
