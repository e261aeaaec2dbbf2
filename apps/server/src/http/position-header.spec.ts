import { describe, expect, it } from 'vitest';
import type { Seq } from '@homeport/protocol';
import { formatPosition, parsePosition } from './position-header.js';

describe('Homeport-Position', () => {
  it('comes back as it went out, also where the timeline holds points', () => {
    for (const timeline of ['a', '0b1c-2.1', 'x.y.z']) {
      const position = { timeline, seq: 42 as Seq };
      expect(parsePosition(formatPosition(position))).toEqual(position);
    }
    expect(parsePosition(undefined)).toBeUndefined();
  });

  it.each(['', '12', 'a.', '.1', 'a.-1', 'a.1.5e3', 'a b.1', `a.${'9'.repeat(16)}`])('refuses "%s"', (text) => {
    expect(() => parsePosition(text)).toThrow(
      expect.objectContaining({ refusal: expect.objectContaining({ code: 'invalid' }) }),
    );
  });
});
