/** `npm run scale`: what a cluster costs by itself, and how soon it comes to rest, for more nodes than fit on a machine. */
import { appendFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { SeededRandom } from '@homeport/testkit';
import { terminal } from '../chaos/terminal.js';
import { CommandError, type Command } from '../command.js';
import { memoryCosts } from './memory-costs.js';
import { placementMoves } from './placement-moves.js';
import { postgresCosts } from './postgres-costs.js';
import { report, type ScaleResult } from './report.js';
import { simulateSize } from './simulate-size.js';

const NODES_MAX = 1_000;
const STATEMENTS = 2_000;

export const scale: Command = {
  name: 'scale',
  says: 'simulate clusters of many nodes: what moves, what is sent, how long it takes',
  help: () =>
    [
      'Usage: npm run scale [-- options]',
      '',
      '  --nodes <a,b,…>      sizes of the clusters that are simulated, 3 to 1,000 [3,10,50,200]',
      '  --placement <a,b,…>  sizes for which placement alone is computed [3,10,50,200,500,1000]',
      '  --seed <n>           of all chance: the same gives the same run [1]',
      '  --out <file>         the result as JSON, with every count by kind',
      '  --help               this text',
      '',
      'Every node is the whole of core, on a fake clock, with a database and a bus in memory; there are no documents.',
      'Sizes to 50 take a minute or less each, 200 about ten. Last, it measures what documents cost in memory, and what',
      'statements cost on an embedded Postgres.',
    ].join('\n'),
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        nodes: { type: 'string', default: '3,10,50,200' },
        placement: { type: 'string', default: '3,10,50,200,500,1000' },
        seed: { type: 'string', default: '1' },
        out: { type: 'string' },
      },
    });
    const sizes = sizesOf('nodes', values.nodes);
    const placed = sizesOf('placement', values.placement);
    const seed = Number(values.seed);
    if (!Number.isSafeInteger(seed) || seed < 0) throw new CommandError('--seed must be a whole number from 0');
    // Before minutes of work, not after.
    if (values.out !== undefined)
      await appendFile(values.out, '').catch((error: Error) => {
        throw new CommandError(`--out ${values.out} can not be written: ${error.message}`);
      });
    const { tell, status } = terminal(process.stdout);
    const clusters: ScaleResult['clusters'][number][] = [];
    for (const nodes of sizes) {
      const startMs = performance.now();
      clusters.push({ nodes, episodes: await simulateSize(nodes, seed, status) });
      tell(`${nodes} nodes: simulated in ${((performance.now() - startMs) / 1_000).toFixed(0)} s`);
    }
    const placements = placed.map((nodes) => placementMoves(nodes, new SeededRandom(seed)));
    status('what documents cost in memory');
    const memory = await memoryCosts();
    status('what statements cost');
    const postgres = await postgresCosts(STATEMENTS);
    const result: ScaleResult = { seed, clusters, placements, memory, postgres };
    status('');
    tell(`\n${report(result)}`);
    if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(result, undefined, 2)}\n`);
    return 0;
  },
};

function sizesOf(option: string, text: string): readonly number[] {
  return text.split(',').map((each) => {
    const nodes = Number(each);
    if (Number.isSafeInteger(nodes) && nodes >= 3 && nodes <= NODES_MAX) return nodes;
    throw new CommandError(`--${option} takes whole numbers from 3 to ${NODES_MAX}, not "${each}"`);
  });
}
