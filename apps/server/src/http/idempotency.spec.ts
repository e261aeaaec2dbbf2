import { describe, expect, it } from 'vitest';
import { isSessionId } from '@homeport/protocol';
import { sessionOf } from './idempotency.js';

describe('Idempotency-Key', () => {
  it('names one session for one user and key', () => {
    const first = sessionOf('ada', 'order 7');
    expect(first).toEqual(sessionOf('ada', 'order 7'));
    expect(first.opNo).toBe(1);
    expect(isSessionId(first.session)).toBe(true);
    expect(sessionOf('bob', 'order 7').session).not.toBe(first.session);
    expect(sessionOf('ada', 'order 8').session).not.toBe(first.session);
  });

  it('without one, every request is a session of its own that is not remembered', () => {
    const [first, second] = [sessionOf('ada', undefined), sessionOf('ada', undefined)];
    expect([first.opNo, second.opNo]).toEqual([0, 0]);
    expect(first.session).not.toBe(second.session);
  });

  it.each(['', 'ä', 'a\u0007', 'x'.repeat(256)])('refuses the key "%s"', (key) => {
    expect(() => sessionOf('ada', key)).toThrow(
      expect.objectContaining({ refusal: expect.objectContaining({ code: 'invalid' }) }),
    );
  });
});
