import { until } from '@homeport/testkit';
import { pause, type Fault } from '../stage.js';
import { ownedWithout } from './processes.js';

const RECORDS = 20_000;
const RECORDS_PER_PUSH = 500;
const TEXT = 'a record like any other';
const CHANGES_PER_SECOND = 50;
const CHANGED_FOR_MS = 2_000;

/** Many pages for who opens it, and more than a message between nodes may hold. */
export const largeDocument: Fault = {
  name: 'large-document',
  says: 'a document of 20,000 records is written, opened and relayed while it changes, and its owner is killed',
  nodesMin: 1,
  async strike(stage) {
    const { cluster, load, watch, random, patienceMs } = stage;
    const document = `large-${random.id()}`;
    const client = load.join('large', [document]);
    const writer = client.documents[0]!;
    await until(patienceMs, `${document} to be open`, () => writer.isOpen);
    let written = 0;
    while (written < RECORDS) {
      const from = written;
      const ops = Array.from({ length: RECORDS_PER_PUSH }, (_, n) => {
        return { op: 'put', key: keyOf(from + n), value: { n: from + n, text: TEXT } } as const;
      });
      if (writer.push(ops)) written += RECORDS_PER_PUSH;
      else await pause(10);
    }
    await load.until(patienceMs, () => (writer.unsettled === 0 ? undefined : 'the records to be acknowledged'));
    const stop = load.addWork(CHANGES_PER_SECOND, () => {
      const key = keyOf(random.int(RECORDS));
      writer.push([
        random.chance(0.3) ? { op: 'delete', key } : { op: 'patch', key, set: { x: written++ }, unset: [] },
      ]);
    });
    const readers = (['redirect', 'relay'] as const).map((pin) => load.join('large-reader', [document], pin));
    const copies = [writer, ...readers.flatMap(({ documents }) => documents)];
    const areOpen = (): boolean => copies.every(({ isOpen, copy }) => isOpen && copy.seq > RECORDS / RECORDS_PER_PUSH);
    await until(patienceMs, `${document} to be open everywhere`, areOpen);
    await pause(CHANGED_FOR_MS);
    const { id, name } = await watch.ownerOf(document);
    const node = cluster.nodes.find((one) => one.name === name)!;
    await node.kill();
    await node.start();
    await ownedWithout(stage, [id], 0);
    await until(patienceMs, `${document} to be open again`, () => copies.every(({ isOpen }) => isOpen));
    stop();
    await load.retire([client, ...readers], patienceMs, () => watch.heads());
    return { did: `${RECORDS} records in one document, ${writer.copy.seq} pushes; killed ${name}` };
  },
};

function keyOf(n: number): string {
  return `record:${n}`;
}
