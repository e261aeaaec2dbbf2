import {
  AllSlots,
  DEFAULT_NODE_SETTINGS,
  Membership,
  SlotKeeper,
  SlotMap,
  type Claim,
  type Clock,
  type Estate,
  type LeaseSettings,
  type LeaseTable,
  type NodeInfo,
  type Probe,
} from '@homeport/core';

const NOBODY: Estate = { gained: () => {}, lost: () => {} };

/** What keeps the slots of a node that serves alone, without the node around it. */
export function loneKeeper(parts: {
  readonly me: NodeInfo;
  readonly leases: LeaseTable;
  readonly clock: Clock;
  readonly probe: Probe;
  readonly settings: LeaseSettings;
  readonly estate?: Estate;
}) {
  const { leases, clock, settings } = parts;
  const me = { ...parts.me, leaseTtlMs: settings.ttlMs };
  const membership = new Membership(me.id, { ...DEFAULT_NODE_SETTINGS, ...settings });
  const map = new SlotMap();
  const keeper = new SlotKeeper({ estate: NOBODY, ...parts, me, membership, map });
  const claim = async (how: Claim): Promise<void> => {
    await keeper.join();
    try {
      await new AllSlots(me, leases, keeper, clock, settings).take(how);
      keeper.keep();
    } catch (error) {
      await keeper.leave().catch(() => {});
      throw error;
    }
  };
  return { keeper, membership, map, claim };
}
