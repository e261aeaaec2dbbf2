import { FakeClock, watch } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import { GATE_WAIT_MS, GATE_WAITING_MAX, Gate } from './gate.js';
import type { Slot } from './slot.js';

const SLOT = 7 as Slot;
const OTHER = 8 as Slot;

describe('Gate', () => {
  it('what waits goes on in the order in which it came, when its slot opens', async () => {
    const clock = new FakeClock();
    const gate = new Gate();
    const passed: string[] = [];
    gate.close([SLOT, OTHER]);
    for (const name of ['a', 'b', 'c']) void gate.passed(SLOT, clock).then((how) => passed.push(`${name} ${how}`));
    expect(gate.waiting).toBe(3);
    gate.open([OTHER]);
    await clock.settle();
    expect(passed).toEqual([]);
    gate.open([SLOT]);
    await clock.settle();
    expect(passed).toEqual(['a open', 'b open', 'c open']);
    expect([gate.isClosed(SLOT), gate.waiting, clock.pendingTimers]).toEqual([false, 0, 0]);
  });

  it('nobody waits for longer than the bound, however long the slot is closed', async () => {
    const clock = new FakeClock();
    const gate = new Gate();
    gate.close([SLOT]);
    const waiting = watch(gate.passed(SLOT, clock));
    await clock.advance(GATE_WAIT_MS - 1);
    expect(waiting.answer).toBeUndefined();
    await clock.advance(1);
    expect(waiting.answer).toBe('shut');
  });

  it('no more wait than the bound, and who has gone makes room', async () => {
    const clock = new FakeClock();
    const gate = new Gate();
    gate.close([SLOT]);
    for (let n = 0; n < GATE_WAITING_MAX; n++) void gate.passed(SLOT, clock);
    expect(await gate.passed(SLOT, clock)).toBe('shut');
    gate.open([SLOT]);
    await clock.settle();
    gate.close([SLOT]);
    const waiting = watch(gate.passed(SLOT, clock));
    await clock.settle();
    expect(waiting.answer).toBeUndefined();
  });
});
