/** What happens to server processes. */
import { until, type ClusterNode } from '@homeport/testkit';
import { nowMs } from '../../history/operation.js';
import { pause, pickOwner, type Fault, type ProcessFault, type ProcessStage } from '../stage.js';

/** A node that finds out that it was declared dead ends with this, and is started again. */
const EXIT_LOST = 75;
/** Longer than a lease and everything that follows from its end. */
const HANG_LOW_MS = 5_000;
const HANG_HIGH_MS = 10_000;
/** How long a joining node may take until it has slots: it waits, and is then given them at a bounded rate. */
const SHARE_WITHIN_MS = 150_000;

export const kill: ProcessFault = {
  name: 'kill',
  says: 'SIGKILL of an owner; it comes back a little later',
  nodesMin: 1,
  async strike(stage) {
    const { node, id } = await pickOwner(stage);
    const struckMs = nowMs();
    const exit = await node.kill();
    const alone = stage.cluster.nodes.length === 1;
    if (alone) await node.start();
    const ownedAfterMs = await ownedWithout(stage, [id], struckMs);
    await pause(stage.random.between(0, 1_000));
    if (!alone) await node.start();
    const missed = exit.signal === 'SIGKILL' ? undefined : `${node.name} ended by itself`;
    return { did: `killed ${node.name}`, ownedAfterMs, missed, id };
  },
};

export const hang = hangFor(HANG_LOW_MS, HANG_HIGH_MS);

/** So long, or something between. */
export function hangFor(lowMs: number, highMs = lowMs): ProcessFault {
  return {
    name: 'hang',
    says: 'SIGSTOP of an owner for longer than its lease, then SIGCONT',
    nodesMin: 1,
    async strike(stage) {
      const { node, id } = await pickOwner(stage);
      const struckMs = nowMs();
      const lengthMs = stage.random.between(lowMs, highMs);
      const alone = stage.cluster.nodes.length === 1;
      node.stop();
      const ownedAfterMs = alone ? undefined : await ownedWithout(stage, [id], struckMs);
      await pause(Math.max(0, lengthMs - (nowMs() - struckMs)));
      const { acks } = stage.load;
      if (alone) await pause(1_000);
      const missed = alone && stage.load.acks > acks ? 'acknowledgements came while it hung' : undefined;
      const wokenMs = nowMs();
      node.cont();
      const did = `stopped ${node.name} for ${Math.round(wokenMs - struckMs)} ms`;
      if (alone) return { did, missed, id };
      const { code } = await node.endsByItself(stage.patienceMs, 'to end when it woke');
      const diedAfterMs = Math.round(nowMs() - wokenMs);
      await serves(stage, node);
      const broke = code === EXIT_LOST ? [] : [`O4: ${node.name} woke and ended with ${code}, not ${EXIT_LOST}`];
      return { did: `${did}; awake it ended after ${diedAfterMs} ms`, ownedAfterMs, broke, id };
    },
  };
}

export const drain: ProcessFault = {
  name: 'drain',
  says: 'SIGTERM of an owner: it hands over and ends; then it comes back',
  nodesMin: 1,
  async strike(stage) {
    const { node, id } = await pickOwner(stage);
    return drainOne(stage, node, id);
  },
};

export const rolling: ProcessFault = {
  name: 'rolling',
  says: 'every node is drained and started again, one after the other',
  nodesMin: 1,
  async strike(stage) {
    const broke: string[] = [];
    let ownedAfterMs = 0;
    let drainedMs = 0;
    for (const node of [...stage.cluster.nodes]) {
      const struck = await drainOne(stage, node, await idOf(stage, node));
      broke.push(...struck.broke);
      ownedAfterMs = Math.max(ownedAfterMs, struck.ownedAfterMs);
      drainedMs = Math.max(drainedMs, struck.drainedMs);
    }
    return { did: `restarted ${stage.cluster.nodes.length} nodes`, drainedMs, ownedAfterMs, broke };
  },
};

export const joinLeave: Fault = {
  name: 'join-leave',
  says: 'two nodes more join and take their share; then they leave',
  nodesMin: 2,
  async strike(stage) {
    const { cluster, watch } = stage;
    const joinedMs = nowMs();
    const guests = [await cluster.add(), await cluster.add()];
    let shares: number[] = [];
    await until(SHARE_WITHIN_MS, 'both new nodes to have half of their share', async () => {
      const { owners, nodes } = await watch.look();
      const names = owners.map((owner) => nodes.get(owner ?? ''));
      shares = guests.map(({ name }) => names.filter((one) => one === name).length);
      return shares.every((share) => share >= owners.length / cluster.nodes.length / 2);
    });
    const tookMs = Math.round(nowMs() - joinedMs);
    const broke: string[] = [];
    for (const guest of guests) {
      const { code } = await cluster.remove(guest);
      if (code !== 0) broke.push(`E1: ${guest.name} left with ${code}`);
    }
    return { did: `two nodes joined, had ${shares.join(' and ')} slots after ${tookMs} ms, and left`, broke };
  },
};

async function drainOne(stage: ProcessStage, node: ClusterNode, id: string) {
  const struckMs = nowMs();
  const { code, signal } = await node.drain();
  const drainedMs = nowMs() - struckMs;
  const broke = code === 0 ? [] : [`E1: ${node.name} was asked to end and ended with ${code ?? signal}`];
  const alone = stage.cluster.nodes.length === 1;
  if (alone) await node.start();
  const ownedAfterMs = await ownedWithout(stage, [id], struckMs);
  if (!alone) await node.start();
  return { did: `drained ${node.name}`, drainedMs, ownedAfterMs, broke, id };
}

/** Answers how long after `sinceMs` every slot had a living owner that is not one of these. */
export async function ownedWithout(stage: ProcessStage, ids: readonly string[], sinceMs: number): Promise<number> {
  await until(stage.patienceMs, 'every slot to have a living owner', async () => {
    // Postgres may be away for a moment: that is no answer.
    return (await stage.watch.unservedBut(ids).catch(() => 1)) === 0;
  });
  return nowMs() - sinceMs;
}

export async function serves({ patienceMs }: ProcessStage, node: ClusterNode): Promise<void> {
  await until(patienceMs, `${node.name} to serve again`, () => node.isUp);
}

async function idOf({ watch }: ProcessStage, node: ClusterNode): Promise<string> {
  const { nodes } = await watch.look();
  const found = [...nodes].find(([, name]) => name === node.name);
  if (!found) throw new Error(`${node.name} is not in the table of nodes`);
  return found[0];
}
