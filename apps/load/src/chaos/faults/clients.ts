/** What clients do to the servers. */
import { until } from '@homeport/testkit';
import { nextPush } from '../../kill/writing.js';
import { pause, type Fault } from '../stage.js';

const HOT_WRITERS = 4;
const HOT_WRITES_PER_SECOND = 100;
const HOT_MS = 5_000;

const SLOW_READERS = 3;
/** Together more than the kernel's buffers and the server's patience with one socket hold. */
const FLOOD_BYTES = 60_000;
const FLOOD_PER_SECOND = 100;
const FLOOD_WRITES = 400;
const FLOOD_KEYS = 8;

export const none: Fault = {
  name: 'none',
  says: 'nothing: the baseline',
  nodesMin: 1,
  async strike({ load }) {
    const { acks } = load;
    await pause(4_000);
    const missed = load.acks > acks ? undefined : 'nothing was acknowledged';
    return { did: `nothing; ${load.acks - acks} acknowledgements`, missed };
  },
};

export const sockets: Fault = {
  name: 'sockets',
  says: 'every socket of every client breaks at once',
  nodesMin: 1,
  async strike({ load, patienceMs }) {
    const before = load.clients.map(({ linksLost }) => linksLost);
    for (const client of load.clients) client.breakLinks();
    await load.until(patienceMs, () => {
      const whole = load.clients.filter(({ linksLost }, i) => linksLost === before[i]).length;
      return whole === 0 ? undefined : `${whole} clients to lose their sockets`;
    });
    return { did: `${load.clients.length} clients lost their sockets` };
  },
};

export const hotDocument: Fault = {
  name: 'hot-document',
  says: 'one document gets forty times the writes of the others',
  nodesMin: 1,
  async strike({ load, watch, random, patienceMs }) {
    const id = `hot-${random.id()}`;
    const clients = Array.from({ length: HOT_WRITERS }, () => load.join('hot', [id]));
    const writers = clients.map(({ documents }) => documents[0]!);
    const watcher = load.join('hot-watcher', [id], 'relay');
    await until(patienceMs, `${id} to be open`, () => writers.every(({ isOpen }) => isOpen));
    const stops = writers.map((document) =>
      load.addWork(HOT_WRITES_PER_SECOND, () => {
        if (document.push(nextPush(random, document.copy)) === undefined) load.shed++;
      }),
    );
    await pause(HOT_MS);
    for (const stop of stops) stop();
    await load.retire([...clients, watcher], patienceMs, () => watch.heads());
    const head = Math.max(...writers.map(({ acknowledged }) => acknowledged));
    const missed = head > 0 ? undefined : 'the hot document was never written';
    return { did: `${head} pushes to one document in ${HOT_MS} ms`, missed };
  },
};

export const slowReaders: Fault = {
  name: 'slow-readers',
  says: 'some readers stop reading while large records are written, until the server lets go of them',
  nodesMin: 1,
  async strike({ load, watch, random, patienceMs }) {
    const id = `slow-${random.id()}`;
    const flood = load.join('flood', [id]);
    const writer = flood.documents[0]!;
    const readers = Array.from({ length: SLOW_READERS }, () => load.join('slow', [id]));
    const opened = [writer, ...readers.flatMap(({ documents }) => documents)];
    await until(patienceMs, `${id} to be open`, () => opened.every(({ isOpen }) => isOpen));
    for (const reader of readers) reader.stopReading();
    const text = 'x'.repeat(FLOOD_BYTES);
    let written = 0;
    const stop = load.addWork(FLOOD_PER_SECOND, () => {
      const key = `page:${written % FLOOD_KEYS}`;
      if (writer.push([{ op: 'put', key, value: { n: written, text } }]) !== undefined) written++;
    });
    // What a reader does not take is not seen from here; so much is more than any buffer on the way holds.
    await until(patienceMs, 'the flood to be written', () => written >= FLOOD_WRITES);
    stop();
    await load.until(patienceMs, () => (writer.unsettled === 0 ? undefined : 'the flood to be acknowledged'));
    for (const reader of readers) reader.resumeReading();
    await load.retire([flood, ...readers], patienceMs, () => watch.heads());
    const letGo = readers.filter(({ resumes, linksLost }) => resumes + linksLost > 0).length;
    const missed = letGo > 0 ? undefined : 'no reader was slow enough to be let go of';
    return { did: `${letGo} of ${SLOW_READERS} readers were let go of and caught up`, missed };
  },
};
