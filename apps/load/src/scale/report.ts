/** A run for people. */
import type { Episode } from './episode.js';
import type { MemoryCost } from './memory-costs.js';
import type { PlacementMoves } from './placement-moves.js';
import type { PostgresCost } from './postgres-costs.js';
import type { Amount, Report } from './traffic.js';

export interface ScaleResult {
  readonly seed: number;
  readonly clusters: readonly { readonly nodes: number; readonly episodes: readonly Episode[] }[];
  readonly placements: readonly PlacementMoves[];
  readonly memory: readonly MemoryCost[];
  readonly postgres: readonly PostgresCost[];
}

export function report({ clusters, placements, memory, postgres }: ScaleResult): string {
  return [
    ...clusters.flatMap(({ nodes, episodes }) => [cluster(nodes, episodes), '']),
    'placement alone: slots that move (fair share in brackets)',
    ...table(
      ['nodes', 'join', 'leave', 'crash of a tenth', 'to compute'],
      placements.map((moves) => [
        whole(moves.nodes),
        `${moves.joined} (${moves.fairShare})`,
        `${moves.left} (${moves.fairShare})`,
        `${moves.crashed} (${moves.orphaned} were theirs)`,
        `${moves.tookMs.toFixed(1)} ms`,
      ]),
    ),
    '',
    'memory',
    ...table(
      ['', 'each'],
      memory.map(({ what, bytesEach }) => [what, `${whole(bytesEach)} bytes`]),
    ),
    '',
    'statements: CPU',
    ...table(
      ['', 'of Postgres', 'of the node'],
      postgres.map(({ what, postgresMicros, nodeMicros }) => [what, micros(postgresMicros), micros(nodeMicros)]),
    ),
  ].join('\n');
}

/** What happened, and then what it sent: in all, and in the busiest second. */
function cluster(nodes: number, episodes: readonly Episode[]): string {
  const times = episodes.map(({ name, ownedMs, agreedMs, restMs, moved, transfers, fairShare, dials }) => [
    name,
    ms(ownedMs),
    ms(agreedMs),
    ms(restMs),
    `${moved} (${fairShare})`,
    whole(transfers),
    whole(dials),
  ]);
  const traffic = episodes.map(({ name, redis, postgres }) => {
    const transactions = ['takeOver', 'handOff', 'leave'].map((kind) => postgres.kinds[kind]?.sent ?? 0);
    return [
      name,
      ...amounts(redis),
      ...amounts(postgres),
      whole(postgres.kinds['slots']?.sent ?? 0),
      whole(transactions.reduce((sum, count) => sum + count, 0)),
    ];
  });
  return [
    `${nodes} nodes`,
    ...table(['', 'owned after', 'agreed', 'at rest', 'moved (fair)', 'transfers', 'dials'], times),
    '',
    ...table(
      ['', 'published', 'delivered', 'busiest s', 'statements', 'rows', 'busiest s', 'map reads', 'transactions'],
      traffic,
    ),
  ].join('\n');
}

function amounts({ total, busiest }: Report): string[] {
  return [whole(total.sent), size(total), size(busiest)];
}

function size({ received, bytes }: Amount): string {
  return `${whole(received)}, ${(bytes / 1e6).toFixed(1)} MB`;
}

function ms(value: number | undefined): string {
  return value === undefined ? '·' : `${whole(value)} ms`;
}

function micros(value: number | undefined): string {
  return value === undefined ? 'not measured here' : `${whole(value)} µs`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const chars = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  return [head, ...rows].map((row) => `  ${row.map((cell, n) => cell.padEnd(chars[n]!)).join('  ')}`.trimEnd());
}
