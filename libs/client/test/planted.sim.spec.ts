/** The model test is worth what it finds: each of these known bugs of a client must turn it red, with the rule that it breaks. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClientDocument } from '../src/client-document.js';
import { Pending } from '../src/pending.js';
import { Replica } from '../src/replica.js';
import { Route } from '../src/route.js';
import { Sender } from '../src/sender.js';
import { play } from './world.js';

const SEEDS_MAX = 400;

const PLANTED_BUGS: readonly { readonly bug: string; readonly rules: RegExp; readonly plant: () => void }[] = [
  {
    bug: 'a `moved` to a lower epoch that is followed',
    rules: /^C12: /,
    plant: () =>
      vi.spyOn(Route.prototype, 'follow').mockImplementation(function (this: Route, owner, epoch) {
        this.arrive(owner, epoch);
        return true;
      }),
  },
  {
    bug: 'a push that gets a new number after a move',
    rules: /^W5: |own increments count once/,
    plant: () =>
      vi.spyOn(Pending.prototype, 'sendAgain').mockImplementation((push) => {
        if (push.stage.at === 'sent') push.stage = { at: 'unsent' };
      }),
  },
  {
    bug: 'a number that is used again after a refusal',
    rules: /own increments count once|session_conflict|superseded/,
    plant: plantReuse,
  },
  {
    bug: 'unanswered pushes that are forgotten on a move',
    rules: /is live with nothing pending/,
    plant: () => vi.spyOn(Sender.prototype, 'sendAgain').mockImplementation(() => undefined),
  },
  {
    bug: 'an open whose memory of the session is not settled before its state is shown',
    rules: /own increments count once|sees its own increments once/,
    plant: () => {
      const recall = Replica.prototype.recall;
      vi.spyOn(Replica.prototype, 'recall').mockImplementation(function (this: Replica, head) {
        return recall.call(this, { ...head, session: { ...head.session, recent: [] } });
      });
    },
  },
  {
    bug: 'sockets that are kept though nobody needs them',
    rules: /^C11: \w+ has \d+ sockets/,
    plant: () => vi.spyOn(ClientDocument.prototype, 'uses').mockImplementation(() => true),
  },
];

/** What is sent next after a refusal goes under the number of what was refused. */
function plantReuse(): void {
  const { remove, send } = Pending.prototype;
  let free: number | undefined;
  vi.spyOn(Pending.prototype, 'remove').mockImplementation(function (this: Pending, push, error) {
    if (push.stage.at === 'sent') free = push.stage.opNo;
    return remove.call(this, push, error);
  });
  vi.spyOn(Pending.prototype, 'send').mockImplementation(function (this: Pending, push, nowMs) {
    const isNew = push.stage.at === 'unsent';
    const numbering = send.call(this, push, nowMs);
    const opNo = free;
    if (!isNew || opNo === undefined || push.stage.at !== 'sent') return numbering;
    free = undefined;
    push.stage = { ...push.stage, opNo };
    return { ...numbering, opNo, after: Math.min(numbering.after, opNo - 1) };
  });
}

describe('the model test notices', () => {
  afterEach(() => vi.restoreAllMocks());

  for (const { bug, rules, plant } of PLANTED_BUGS) {
    it(`${bug}`, async () => {
      plant();
      for (let seed = 0; seed < SEEDS_MAX; seed++) {
        const failure = await play(seed).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure === undefined) continue;
        expect(String((failure as Error).message)).toMatch(rules);
        return;
      }
      expect.fail(`${SEEDS_MAX} seeds, and nothing was noticed`);
    }, 120_000);
  }
});
