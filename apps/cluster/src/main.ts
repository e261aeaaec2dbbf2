/**
 * The cluster page: asks a node for what it knows, about twice a second, and shows it. Where the node that served the
 * page does not answer, the others that it told of are asked.
 */
import '../../whiteboard/src/base.css';
import './cluster.css';
import { showTheme } from '../../whiteboard/src/theme.js';
import { AdminToken } from './admin-token.js';
import { ask } from './ask.js';
import { Page } from './page.js';
import { Round } from './round.js';

const PERIOD_MS = 500;
const PERIOD_MS_MAX = 5_000;

showTheme();

const token = new AdminToken();
const round = new Round(location.origin, new URLSearchParams(location.search).get('node') ?? undefined);
let wake = (): void => {};
const page = new Page((text) => {
  token.keep(text);
  wake();
});
document.getElementById('root')!.append(page.element);

document.addEventListener('visibilitychange', () => wake());

let waitMs = PERIOD_MS;
for (;;) {
  const place = round.next(performance.now());
  const answer = await ask(place, token.kept);
  round.heard(place, answer, performance.now());
  page.show(answer, round);
  switch (answer.kind) {
    case 'view':
      waitMs = PERIOD_MS;
      break;
    case 'silent':
      // Each node is tried at once; when all of them are silent there is no hurry.
      waitMs = round.hasUntried ? 0 : Math.min(Math.max(PERIOD_MS, waitMs * 2), PERIOD_MS_MAX);
      break;
    case 'locked':
      waitMs = PERIOD_MS_MAX;
      break;
  }
  await new Promise<void>((resolve) => {
    wake = resolve;
    setTimeout(resolve, document.hidden ? PERIOD_MS_MAX : waitMs);
  });
}
