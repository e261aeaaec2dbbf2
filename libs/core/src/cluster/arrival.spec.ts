/** What a node finds when it comes to others, and whether it may stay. */
import { ClusterSimulation, type SimNode } from '@homeport/testkit';
import { beforeEach, describe, expect, it } from 'vitest';

/** As the nodes of the simulation have it. */
const TTL_MS = 1_000;

describe('Arrival', () => {
  let run: ClusterSimulation;
  let a: SimNode;
  beforeEach(async () => {
    run = new ClusterSimulation(5, {});
    a = run.boot('a');
    await run.world.until('the first owner', () => run.isOwned);
  });

  it('a second living node of one name is refused with a line that names NODE_NAME, and leaves no trace', async () => {
    const second = run.boot('a');
    await run.world.until('its end', () => second.ended !== undefined);
    expect(second.ended).toMatch(/NODE_NAME a is taken by a living node at http:\/\/a: give this one another/);
    expect(run.database.nodes.get(second.node.me.id)?.state).toBe('left');
    expect(a.isServing).toBe(true);
    expect(run.isOwned).toBe(true);
  });

  it('a node with another lease than a living one is refused with a line that names LEASE_TTL_MS', async () => {
    const { 'a.1': row } = Object.fromEntries(run.database.nodes);
    run.database.nodes.set('a.1', { ...row!, leaseTtlMs: 2_000 });
    const b = run.boot('b');
    await run.world.until('its end', () => b.ended !== undefined);
    expect(b.ended).toMatch(/LEASE_TTL_MS is 1000 here and 2000 at a \(http:\/\/a\)/);
  });

  it('a node that was killed comes up again under its name without waiting for its lease', async () => {
    a.process.kill();
    const diedMs = run.world.monotonicMs();
    const again = run.boot('a');
    await run.world.until('its service', () => again.isServing);
    expect(run.world.monotonicMs() - diedMs).toBeLessThan(TTL_MS / 2);
  });

  it('for a dead one of its name, elsewhere, or with a longer lease, it waits until that is over, and says so', async () => {
    const { 'a.1': row } = Object.fromEntries(run.database.nodes);
    a.process.kill();
    run.database.nodes.set('a.1', { ...row!, host: 'elsewhere', leaseTtlMs: 2 * TTL_MS });
    const diedMs = run.world.monotonicMs();
    const again = run.boot('a');
    await run.world.until('its service', () => again.isServing);
    expect(run.world.monotonicMs() - diedMs).toBeGreaterThan(2 * TTL_MS);
    expect(again.probe.told.map(({ message }) => message)).toContain('waits until the lease of another node is over');
  });
});
