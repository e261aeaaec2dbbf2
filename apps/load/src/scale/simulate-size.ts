/** The life of a cluster of one size, episode by episode. */
import { playEpisode, type Episode } from './episode.js';
import { ScaledCluster } from './scaled-cluster.js';

/** All start within that much. */
const START_MS = 1_000;
const CALM_MS = 15_000;
/** Between two episodes: what an observer must have seen of a node before it judges it. */
const REST_MS = 5_000;

export async function simulateSize(
  nodes: number,
  seed: number,
  tell: (line: string) => void,
): Promise<readonly Episode[]> {
  const cluster = new ScaledCluster(seed);
  const { clock, random } = cluster;
  const episodes: Episode[] = [];
  const play = async (name: string, act: () => void, lastsMs?: number): Promise<void> => {
    episodes.push(await playEpisode(cluster, name, act, (line) => tell(`${nodes} nodes, ${line}`), lastsMs));
    await clock.advance(REST_MS);
  };
  const some = (count: number) => {
    const left = [...cluster.running];
    return Array.from({ length: count }, () => left.splice(random.int(left.length), 1)[0]!);
  };

  await play('start of all', () => {
    for (let i = 0; i < nodes; i++) cluster.boot(random.between(0, START_MS));
  });
  await play('calm', () => {}, CALM_MS);
  await play('join', () => cluster.boot());
  await play('leave', () => void some(1)[0]!.leave());
  await play('crash of one', () => some(1)[0]!.kill());
  await play('hang of one', () => some(1)[0]!.hang());
  const tenth = Math.ceil(nodes / 10);
  if (tenth > 1) await play(`crash of ${tenth}`, () => some(tenth).forEach((member) => member.kill()));
  return episodes;
}
