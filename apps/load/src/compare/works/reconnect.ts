/** How long it takes to be up to date again: from the first byte of a new connection to the last of what was missed. */
import { PROTOCOL_VERSION, type OpenReply } from '@homeport/protocol';
import { Latencies } from '../../measuring/latencies.js';
import { range } from '../../measuring/range.js';
import { WireSocket } from '../../measuring/wire-socket.js';
import { perOperation } from '../turn.js';
import { pairings, type Work } from '../work.js';

const MISSED = 100;
const WARM_UP = 20;

export const reconnect: Work = {
  name: 'reconnect',
  says: `back with ${MISSED} missed entries`,
  sockets: 2,
  figures: [
    {
      name: 'reconnect, p50',
      says: `from connecting to the last of ${MISSED} missed entries, one client at a time`,
      unit: 'ms',
      better: 'lower',
      pairings: pairings(),
    },
  ],
  async play(turn) {
    const document = turn.document('missed');
    const writer = await turn.join(document);
    for (const i of range(2 * MISSED)) writer.push(`[{"op":"put","key":"shape:1","value":{"x":${i}}}]`, () => {});
    await turn.settled([writer]);
    const since = { timeline: writer.opened.timeline, seq: writer.openedAt + MISSED };
    const { url, how } = await turn.place(document);

    const comeBack = async (): Promise<number> => {
      const startMs = performance.now();
      const session = `compare-${crypto.randomUUID()}`;
      const wire = await WireSocket.connect(url, { protocol: PROTOCOL_VERSION, session });
      const text = await wire.askText('open', JSON.stringify({ document, since, ...how }));
      const tookMs = performance.now() - startMs;
      wire.close();
      const reply = JSON.parse(text) as OpenReply;
      if (!reply.ok) throw new Error(`open was refused: ${reply.message}`);
      if (reply.tail?.length !== MISSED || reply.next !== undefined)
        throw new Error(`${reply.tail?.length ?? 'none'} of ${MISSED} missed entries came`);
      return tookMs;
    };
    for (const _ of range(WARM_UP)) await comeBack();
    const latencies = new Latencies();
    const usage = turn.meter();
    const endMs = performance.now() + (turn.quick ? 700 : 3_000);
    while (performance.now() < endMs) latencies.record(await comeBack());
    const { p50Ms, count } = latencies.percentiles;
    return { 'reconnect, p50': { value: p50Ms, cpuMicros: perOperation(usage(), count) } };
  },
};
