/** Flushes that do not succeed, on a node with a real lease and a log that can fail in every way. */
import { TestHome, nodeNamed, put, pushOf, watch, type TestHomeParts } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';

const BOARD = 'board';

describe('Committer', () => {
  it('W8: an ack follows the commit, and carries its seq', async () => {
    const { home, push } = await start();
    const answer = push(1, 'a');
    await home.world.until('the ack', () => answer.answer !== undefined);
    expect(answer.answer).toMatchObject({ ok: true, position: { seq: 1 } });
    expect(seqsOf(home)).toEqual([[1, 's1', 1]]);
  });

  it('W9: of an unknown flush that was stored, the pushes are answered once it is known', async () => {
    const { home, push } = await start();
    home.faults.failNext('append', 'answerLost');
    const answer = push(1, 'a');
    const next = push(2, 'b');
    await home.world.until('both acks', () => answer.answer !== undefined && next.answer !== undefined);
    expect([answer.answer, next.answer]).toMatchObject([{ position: { seq: 1 } }, { position: { seq: 2 } }]);
    expect(seqsOf(home)).toEqual([
      [1, 's1', 1],
      [2, 's1', 2],
    ]);
    expect(home.probe.flushes.map(({ outcome }) => outcome)).toContain('unknown');
  });

  it('W9: of an unknown flush that was not stored, the pushes go again', async () => {
    const { home, push } = await start();
    home.faults.failNext('append', 'requestLost');
    const answer = push(1, 'a');
    await home.world.until('the ack', () => answer.answer !== undefined);
    expect(seqsOf(home)).toEqual([[1, 's1', 1]]);
  });

  it('W6: the epochs of an unknown flush are raised, also when the answer of the raise is lost', async () => {
    const { home, push } = await start();
    home.faults.failNext('append', 'requestLost');
    home.faults.failNext('raise', 'answerLost');
    home.faults.failNext('entries', 'error');
    const answer = push(1, 'a');
    await home.world.until('the ack', () => answer.answer !== undefined);
    expect(seqsOf(home)).toEqual([[1, 's1', 1]]);
    expect(home.database.logOf(BOARD)[0]!.epoch).toBeGreaterThan(2);
    expect(home.probe.alarms).toEqual([]);
  });

  it('E6: an error reply is a failure, known not to be written: nothing is raised, everything goes again', async () => {
    const { home, push } = await start();
    home.faults.failNext('append', 'error');
    home.faults.failNext('append', 'error');
    const answer = push(1, 'a');
    await home.world.until('the ack', () => answer.answer !== undefined);
    expect(home.probe.flushes.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'answered']);
    expect(home.database.logOf(BOARD)[0]!.epoch).toBe(1);
  });

  it('one push that can not be stored is refused for good, and those around it are saved', async () => {
    const { home, push } = await start({ poison: (entry) => JSON.stringify(entry).includes('poison') });
    const answers = [push(1, 'a')];
    for (let n = 0; n < 20; n++)
      answers.push(
        watch(home.document(BOARD).push(pushOf(1, [put(`k${n}`, n === 7 ? 'poison' : n)], { session: `x${n}` }))),
      );
    await home.world.until('all answers', () => answers.every(({ answer }) => answer !== undefined));
    expect(answers.flatMap(({ answer }) => (answer!.ok ? [] : [answer!.code]))).toEqual(['invalid']);
    expect(answers[8]!.answer).toMatchObject({ code: 'invalid', path: 'ops' });
    expect(seqsOf(home).map(([seq]) => seq)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('a slot that is somebody else’s: everything that waits is told where to go, and the node knows that it lost', async () => {
    const { home, push } = await start();
    await home.world.outcome('a first ack', home.document(BOARD).push(pushOf(1, [put('a', 0)])));
    const other = new TestHome({ world: home.world, database: home.database, info: nodeNamed('b') });
    home.faults.rates = { error: 1 };
    const started = watch(other.node.start('forced').then(() => true));
    await home.world.until('the takeover', () => home.database.slots[0]!.owner === 'b.1');
    home.faults.rates = {};
    const answer = push(2, 'a');
    await home.world.until('the refusal', () => answer.answer !== undefined);
    expect(answer.answer).toMatchObject({ ok: false });
    await home.world.until('the loss', () => home.node.state === 'lost');
    await home.world.until('the start of the other', () => started.answer === true);
    const again = await home.world.outcome('the ack there', other.document(BOARD).push(pushOf(2, [put('a', 'a')])));
    expect(again).toMatchObject({ ok: true, position: { seq: 2 } });
  });

  it('R5: a document that is not as it must be is loaded anew; its readers stay, and the others go on', async () => {
    const { home, push } = await start({
      log: (log) => {
        const entries = log.entries.bind(log);
        log.entries = async (document, from, bytesMax) => {
          const found = await entries(document, from, bytesMax);
          log.entries = entries;
          return found === 'trimmed'
            ? found
            : found.map((entry) => ({ ...entry, seq: (entry.seq + 1) as typeof entry.seq }));
        };
        return log;
      },
    });
    const { session } = home.connect('reader');
    await home.world.outcome('the open', session.receive('open', { document: BOARD })!);
    home.faults.failNext('append', 'answerLost');
    const waiting = push(1, 'a');
    await home.world.until('the answer', () => waiting.answer !== undefined);
    expect(waiting.answer).toMatchObject({ code: 'unavailable' });
    expect(home.probe.alarms).toHaveLength(1);
    const again = push(1, 'a');
    await home.world.until('the same push again', () => again.answer !== undefined);
    expect(again.answer).toMatchObject({ ok: true, position: { seq: 1 } });
    const frames = framesOf(home);
    const next = push(2, 'b');
    await home.world.until('the next push', () => next.answer !== undefined);
    expect(framesOf(home)).toBe(frames + 1);
    expect(seqsOf(home)).toEqual([
      [1, 's1', 1],
      [2, 's1', 2],
    ]);
  });

  it('O4: what waits on a node that was declared dead is answered, and never acknowledged', async () => {
    const { home, push } = await start();
    await home.world.outcome('a first ack', home.document(BOARD).push(pushOf(1, [put('a', 0)])));
    for (let n = 0; n < 100; n++) home.faults.failNext('append', 'error');
    const waiting = push(2, 'a');
    const row = home.database.nodes.get('a.1')!;
    home.database.nodes.set('a.1', { ...row, state: 'dead' });
    await home.world.until('the loss', () => home.node.state === 'lost');
    await home.world.until('the answer', () => waiting.answer !== undefined, 1);
    expect(waiting.answer).toMatchObject({ ok: false, code: 'unavailable' });
    expect(home.node.stats()).toMatchObject({ documents: 0, sessions: 0 });
    expect(await home.world.outcome('a later push', home.document(BOARD).push(pushOf(3, [put('a', 3)])))).toMatchObject(
      {
        code: 'unavailable',
      },
    );
  });
});

async function start(parts: Partial<TestHomeParts> = {}) {
  const home = await TestHome.start(parts);
  const push = (opNo: number, key: string) => watch(home.document(BOARD).push(pushOf(opNo, [put(key, opNo)])));
  return { home, push };
}

function seqsOf(home: TestHome) {
  return home.database.logOf(BOARD).map(({ seq, session, opNo }) => [seq, session, opNo]);
}

function framesOf(home: TestHome): number {
  return home.fanOut.delivered.filter(({ message }) => message.event === 'entries').length;
}
