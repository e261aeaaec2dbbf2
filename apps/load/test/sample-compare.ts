/** A comparison as a real one could have been. */
import { SeededRandom } from '@homeport/testkit';
import type { ComparedWork, CompareResult } from '../src/compare/compare-result.js';

const SYSTEMS = [
  { name: 'plain Socket.IO', says: 'An echo that stores nothing: what the wire itself can do.' },
  {
    name: 'stateless',
    says: 'NestJS, Socket.IO, the Redis adapter and one INSERT per operation; reads come from Postgres.',
  },
  { name: 'Homeport, pinned', says: 'Each session is at the owner of its document; an ack is a commit.' },
  { name: 'Homeport, relayed', says: 'Each session is at another node than the owner, which is reached over the bus.' },
];
const ROUNDS = 5;

export function sampleCompare(): CompareResult {
  const random = new SeededRandom(11);
  const rounds = (typical: readonly number[]): Record<string, number[]> =>
    Object.fromEntries(
      SYSTEMS.map(({ name }, i) => [
        name,
        Array.from({ length: ROUNDS }, () => typical[i]! * random.between(0.85, 1.15)),
      ]),
    );
  const acks: ComparedWork = {
    name: 'Acks',
    says: '50 sockets with 8 pushes under way each, on 50 documents.',
    unit: 'acks/s',
    better: 'higher',
    values: rounds([41_000, 7_400, 36_500, 17_000]),
    cpuMicros: rounds([19, 96, 27, 44]),
    ratios: [
      {
        ...{ of: 'Homeport, pinned', over: 'plain Socket.IO', median: 0.89, min: 0.84, max: 0.95 },
        target: { says: 'P1: at least 0.8 ×', reached: true },
      },
      {
        ...{ of: 'Homeport, pinned', over: 'stateless', median: 4.93, min: 4.4, max: 5.3 },
        target: { says: 'P1: at least 5 ×', reached: false },
      },
      { of: 'Homeport, relayed', over: 'stateless', median: 2.3, min: 2.1, max: 2.5 },
    ],
  };
  const read: ComparedWork = {
    name: 'Read of a 1,000-record document',
    says: 'One reader after the other, from the request to the last record.',
    unit: 'ms',
    better: 'lower',
    values: rounds([0.9, 22, 1.4, 2.6]),
    ratios: [
      {
        ...{ of: 'stateless', over: 'Homeport, pinned', median: 15.7, min: 13.9, max: 17.2 },
        target: { says: 'P4: at least 10 ×', reached: true },
      },
    ],
  };
  return {
    format: 'homeport-compare/1',
    startedAt: '2026-03-09T15:20:00.000Z',
    durationMs: 742_000,
    machine: { cpu: 'AMD EPYC 7B13', cores: 2, memoryBytes: 8 * 2 ** 30, node: '20.20.2', platform: 'linux x64' },
    options: { rounds: ROUNDS, seconds: 10 },
    systems: SYSTEMS,
    works: [acks, read],
    warnings: ['clients, servers, Postgres and Redis shared two cores'],
    verdict: { ok: true, says: ['nothing is wrong: 1,203,118 pushes of 200 clients'], violations: [] },
  };
}

/** Every text that comes from outside tries to be markup. */
export function hostileCompare(): CompareResult {
  const evil = `</script><img src=x onerror="document.title='broken'"><script>document.title='broken'</script>'"`;
  const ratio = { of: evil, over: evil, median: 1, min: 1, max: 1, target: { says: evil, reached: true } };
  return {
    ...sampleCompare(),
    startedAt: evil,
    options: { [evil]: evil },
    systems: [{ name: evil, says: evil }],
    works: [
      {
        ...{ name: evil, says: evil, unit: evil, better: 'higher' },
        ...{ values: { [evil]: [1, 2] }, cpuMicros: { [evil]: [1, 2] }, ratios: [ratio] },
      },
    ],
    warnings: [evil],
    verdict: { ok: false, says: [evil], violations: [{ rule: 1, document: evil, says: evil }] },
    cutShort: evil,
  };
}
