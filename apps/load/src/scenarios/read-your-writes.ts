import type { Seq } from '@homeport/protocol';
import { nowMs } from '../history/operation.js';
import type { Crowd } from '../load/crowd.js';
import type { Person } from '../load/person.js';
import type { Scenario } from '../load/scenario.js';
import { Editor, furniture } from './editing.js';

/**
 * The moment after an acknowledgement is where other designs are caught: each write is read back at once in three ways,
 * and each answer must hold it. The checker asks that again of every read, against the log.
 */
export const readYourWrites: Scenario = {
  name: 'read-your-writes',
  says: 'every write is read back at once: same session, another tab, and over HTTP from another node',
  sizes: {
    boards: { preset: 20, says: 'boards, each with a writer and a second tab' },
    rate: { preset: 3, says: 'writes per second on each', from: 0.1, isFraction: true },
  },
  nodes: 2,
  seconds: 30,
  breaks: false,
  sessions: (size) => 2 * size('boards'),
  async populate(crowd) {
    const { size } = crowd;
    const pairs: { readonly writer: Editor; readonly tab: Person }[] = [];
    const boards = crowd.mine(size('boards'));
    await crowd.joinAll(boards, (board) => {
      const document = crowd.document(`ryw-${board}`);
      const person = crowd.join(`writer${board}`, [document]);
      // Every other tab stays where it is, on a node that may not be the owner.
      pairs.push({
        writer: new Editor(person, document, 0, 1),
        tab: crowd.join(`tab${board}`, [document], board % 2 === 0 ? 'redirect' : 'relay'),
      });
      return person;
    });
    await crowd.until('the other tabs to be open', () => pairs.every(({ tab }) => tab.isOpen));
    await Promise.all(pairs.map(({ writer }) => writer.person.write(writer.document, furniture(1))));
    crowd.atRate(pairs.length * size('rate'), (index, dueMs) => {
      const { writer, tab } = pairs[index % pairs.length]!;
      writer.drag(dueMs, (isAccepted) => {
        if (isAccepted) readBack(crowd, writer, tab);
      });
    });
  },
  figures: ({ percentile, rate, found }) => [
    percentile('read, same session', 'p99'),
    percentile('read, other tab', 'p99'),
    percentile('read, HTTP on another node', 'p99'),
    percentile('push', 'p99'),
    rate('read, same session'),
    ...found,
  ],
};

function readBack(crowd: Crowd, { person, document }: Editor, tab: Person): void {
  const now = nowMs();
  const own = person.documents[0]!;
  const written = own.acknowledged as Seq;
  const holds = (how: string, seq: number): void => {
    if (seq < written) crowd.violation(document, `${person.name} wrote ${written}, and read ${seq} ${how}`);
  };
  person.read(document, now, 'read, same session', undefined, (seq) => holds('in the same session', seq));
  tab.read(document, now, 'read, other tab', written, (seq) => holds('in another tab', seq));
  const url = crowd.nodeUrl(own.wire?.node.url);
  void crowd.readOverHttp(own, now, 'read, HTTP on another node', url).then((seq) => {
    if (seq !== undefined) holds(`over HTTP from ${url}`, seq);
  });
}
