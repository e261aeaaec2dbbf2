/** A run as a real one could have been: three nodes, one of them killed and one drained, with what came of it. */
import { SeededRandom } from '@homeport/testkit';
import type { Moment, OperationStats, OwnershipMoment, ProcessSeries, RunResult } from '../src/load/run-result.js';

const SECONDS = 90;
const KILLED_S = 34;
const BACK_S = 42;
const DRAINED_S = 64;
const KINDS = {
  push: { perSecond: 2_400, p50: 1.6 },
  read: { perSecond: 900, p50: 0.6 },
  deliver: { perSecond: 9_800, p50: 3.1 },
};
type Kind = keyof typeof KINDS;

export function sampleResult(): RunResult {
  const random = new SeededRandom(7);
  const kinds = Object.keys(KINDS) as Kind[];
  return {
    format: 'homeport-load/1',
    scenario: 'failover',
    says: '300 people on 60 boards of a cluster of three nodes draw, read and watch, while an owner is killed and another drained.',
    seed: 7,
    startedAt: '2026-03-09T14:05:00.000Z',
    durationMs: SECONDS * 1_000,
    warmUpMs: 5_000,
    options: { boards: 60, people: 300, rate: 8, nodes: 3, relay: false },
    machine: {
      cpu: 'AMD EPYC 7B13',
      cores: 2,
      memoryBytes: 8 * 2 ** 30,
      node: '20.20.2',
      platform: 'linux x64',
    },
    system: { kind: 'own', urls: [] },
    figures: [
      { name: 'ownership moved, p99', value: 188, unit: 'ms', target: { says: 'P5: at most 250 ms', reached: true } },
      { name: 'write gap, p50', value: 412, unit: 'ms', target: { says: 'P5: at most 500 ms', reached: true } },
      { name: 'write gap, p99', value: 1_730, unit: 'ms', target: { says: 'P5: at most 1.5 s', reached: false } },
      { name: 'durable acks', value: 2_391.4, unit: 'per second' },
    ],
    operations: kinds.map((kind) => operation(kind, random)),
    series: Array.from({ length: SECONDS }, (_, second) => moment(second, kinds, random)),
    faults: [
      {
        name: 'kill node-2',
        atMs: KILLED_S * 1_000,
        untilMs: BACK_S * 1_000,
        says: 'SIGKILL, and a new one in its place',
      },
      {
        name: 'drain node-3',
        atMs: DRAINED_S * 1_000,
        untilMs: 66_400,
        says: 'SIGTERM: it hands everything over, then ends',
      },
    ],
    ownership: ownership(),
    processes: [
      usage('node-1', 0.42, 210, random),
      usage('node-2', 0.4, 205, random, (second) => second < KILLED_S || second >= BACK_S),
      usage('node-3', 0.38, 198, random, (second) => second < DRAINED_S + 2),
      usage('generator-1', 0.55, 320, random),
      usage('postgres', 0.3, 96, random),
    ],
    verdict: {
      ok: true,
      says: [
        'nothing is wrong: 203,118 pushes, 76,400 reads and 832,050 events of 300 clients, 60 documents',
        'longest gap between two acknowledgements: 1,730 ms during "kill node-2", 61 ms in calm time',
      ],
      violations: [],
    },
    warnings: [],
  };
}

/** The same run, had everything gone wrong. */
export function badResult(): RunResult {
  const good = sampleResult();
  return {
    ...good,
    cutShort: 'node-2 did not come back within 30 s',
    warnings: [
      'the generator was busy for 97 % of the time: it was the limit, not the server',
      'only 2 cores for 5 processes',
    ],
    verdict: {
      ok: false,
      says: ['3 violations in 203,118 pushes'],
      violations: [
        { rule: 1, document: 'board-17', says: 'push 41 of session a3 was acknowledged at 812, and is not in the log' },
        { rule: 5, document: 'board-17', says: 'session a3 was answered 811 after it had written 812' },
        {
          rule: 8,
          document: 'board-2',
          says: 'node-1 and node-3 both said that they may serve slot 17 from 34.1 to 34.3 s',
        },
      ],
    },
  };
}

/** Every text that comes from outside tries to be markup. */
export function hostileResult(): RunResult {
  const evil = `</script><img src=x onerror="document.title='broken'"><!--<script>document.title='broken'</script>'"&`;
  const bad = badResult();
  return {
    ...bad,
    scenario: evil,
    says: evil,
    startedAt: evil,
    options: { [evil]: evil },
    machine: { ...bad.machine, cpu: evil, node: evil, platform: evil },
    system: { kind: 'url', urls: [evil] },
    figures: [{ name: evil, value: 1, unit: evil, target: { says: evil, reached: true } }],
    operations: bad.operations.map((one) => ({ ...one, kind: evil })),
    series: bad.series.map(({ atMs, kinds }) => ({
      atMs,
      kinds: kinds.slice(0, 1).map((one) => ({ ...one, kind: evil })),
    })),
    faults: bad.faults.map((fault) => ({ ...fault, name: evil, says: evil })),
    ownership: bad.ownership.map(({ atMs }) => ({ atMs, slots: { [evil]: 1_024 } })),
    processes: bad.processes.slice(0, 1).map((one) => ({ ...one, name: evil })),
    verdict: { ok: false, says: [evil], violations: [{ rule: 1, document: evil, says: evil }] },
    warnings: [evil],
    cutShort: evil,
  };
}

/** Around 1, and now and then far above. */
function jitter(random: SeededRandom): number {
  const spread = 0.9 + 0.2 * random.next();
  return random.next() > 0.94 ? spread * 1.8 : spread;
}

function moment(second: number, kinds: readonly Kind[], random: SeededRandom): Moment {
  const isAway = second === KILLED_S;
  const trouble = isAway ? 90 : second === KILLED_S + 1 ? 25 : second === DRAINED_S ? 6 : 1;
  return {
    atMs: second * 1_000,
    kinds: kinds.map((kind) => {
      const { perSecond, p50 } = KINDS[kind];
      const ramp = Math.min(1, (second + 1) / 5);
      return {
        kind,
        perSecond: Math.round(perSecond * ramp * (0.97 + 0.06 * random.next()) * (isAway ? 0.66 : 1)),
        errorsPerSecond: isAway && kind === 'push' ? 140 : 0,
        p50: p50 * jitter(random) * (isAway ? 2 : 1),
        p99: p50 * 4 * jitter(random) * trouble,
      };
    }),
  };
}

function operation(kind: Kind, random: SeededRandom): OperationStats {
  const { perSecond, p50 } = KINDS[kind];
  const ok = perSecond * (SECONDS - 5);
  const buckets = Array.from({ length: 48 }, (_, i) => {
    const upToMs = 0.1 * 1.25 ** (i + 1);
    const bulk = Math.exp(-((Math.log(upToMs / p50) / 0.55) ** 2));
    const tail = 0.0006 / (1 + (upToMs / 60) ** 2);
    return { upToMs, count: Math.round(ok * 0.22 * (bulk + tail) * (0.9 + 0.2 * random.next())) };
  }).filter(({ count }, i, all) => count > 0 || all.slice(i).some((later) => later.count > 0));
  const latency = { p50, p90: p50 * 2.1, p99: p50 * 4.4, p999: p50 * 60, max: buckets.at(-1)!.upToMs };
  return {
    kind,
    ok,
    refused: kind === 'push' ? 12 : 0,
    unknown: kind === 'push' ? 140 : 0,
    latency: { ...latency, buckets },
  };
}

function ownership(): OwnershipMoment[] {
  const at = (second: number, one: number, two: number, three: number): OwnershipMoment => ({
    atMs: second * 1_000,
    slots: { 'node-1': one, 'node-2': two, 'node-3': three },
  });
  return [
    at(0, 348, 331, 345),
    at(KILLED_S + 0.1, 348, 0, 345),
    at(KILLED_S + 0.2, 511, 0, 513),
    at(BACK_S, 511, 0, 513),
    at(BACK_S + 0.4, 430, 170, 424),
    at(BACK_S + 0.8, 348, 331, 345),
    at(DRAINED_S + 0.7, 420, 405, 199),
    at(DRAINED_S + 1.6, 510, 514, 0),
  ];
}

function usage(
  name: string,
  cores: number,
  megabytes: number,
  random: SeededRandom,
  isThere: (second: number) => boolean = () => true,
): ProcessSeries {
  const seconds = Array.from({ length: SECONDS }, (_, second) => second).filter(isThere);
  return {
    name,
    // Each is looked at a little later than the one before.
    points: seconds.map((second, i) => ({
      atMs: second * 1_000 + name.length * 7,
      cpuCores: cores * jitter(random) * Math.min(1, (i + 2) / 6),
      rssBytes: Math.round((megabytes + i * 0.3 + 8 * random.next()) * 2 ** 20),
      ...(name === 'postgres' ? {} : { loopLagMs: 4 * jitter(random) ** 3 }),
    })),
  };
}
