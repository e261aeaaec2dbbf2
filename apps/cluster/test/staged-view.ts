import type { ClusterView, NodeView } from '@homeport/core';

const SLOTS = 1_024;

/** A cluster as it may be seen: slots are dealt in turn to the nodes that are up. */
export function stagedView(
  nodes: readonly Pick<NodeView, 'name' | 'url' | 'state'>[],
  more: Partial<ClusterView> = {},
): ClusterView {
  const owners = nodes.flatMap(({ state }, index) => (state === 'up' || state === 'draining' ? [index] : []));
  // Scattered, as rendezvous hashing would.
  const slots = Array.from(
    { length: SLOTS },
    (_, slot) => owners[(Math.imul(slot + 1, 0x9e3779b1) >>> 8) % owners.length] ?? -1,
  );
  return {
    me: idOf(nodes[0]!.name),
    nodes: nodes.map(({ name, url, state }, index) => ({
      id: idOf(name),
      name,
      url,
      state,
      slots: slots.filter((owner) => owner === index).length,
      load:
        state === 'up'
          ? { sessions: 1_240 + 17 * index, documents: 312 + 9 * index, pendingPushes: 3 * index }
          : undefined,
    })),
    slots,
    version: 7,
    timeline: [],
    postgres: { state: 'up', renewalMs: 1.24 },
    redis: { state: 'up' },
    ...more,
  };
}

export function idOf(name: string): string {
  return `${name}.4hw8mzq2r0`;
}
