import { LIMITS, type Entry, type Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../test/fake-clock.js';
import { Replica } from './replica.js';

const at = (seq: number) => ({ timeline: 't', seq: seq as Seq });

describe('the local copy of a document', () => {
  it('C2: shows a write from its call on, whichever comes first, its ack or its entry', () => {
    for (const first of ['ack', 'entry'] as const) {
      const replica = new Replica({
        clock: new FakeClock(),
        usedOpNo: 0,
        session: () => 'mine',
        user: () => 'ada',
        report: (error) => expect.unreachable(String(error)),
        answered: () => {},
      });
      const counter = { value: { n: 5 }, seq: 1 as Seq };
      replica.install(new Map([['counter', counter]]), at(1), []);
      const shown: unknown[] = [];
      const look = () => shown.push(replica.records().get('counter')?.value);
      replica.changes.add(look);
      const increment = { op: 'increment', key: 'counter', field: 'n', by: 1 } as const;
      void replica.write([increment], 'whole', LIMITS);
      replica.pending.begin(at(1), 0);
      replica.pending.send(replica.pending.oldestUnsent!, 0);
      const entry: Entry = { seq: 2 as Seq, session: 'mine', opNo: 1, user: 'ada', at: 0, ops: [increment] };
      const steps = {
        ack: () => replica.acknowledged(1, at(2)),
        entry: () => replica.apply([entry], 't'),
      };
      steps[first]();
      look();
      steps[first === 'ack' ? 'entry' : 'ack']();
      look();
      expect(new Set(shown.map((value) => JSON.stringify(value)))).toEqual(new Set(['{"n":6}']));
      expect(replica.position).toEqual(at(2));
    }
  });
});
