import type { ClusterView } from '@homeport/core';
import type { Answer } from './ask.js';
import { Colours } from './colours.js';
import { element, say } from './element.js';
import { Health } from './health.js';
import { NodeCard } from './node-card.js';
import type { Place, Round } from './round.js';
import { SlotPicture } from './slot-picture.js';
import { Timeline } from './timeline.js';
import { TokenForm } from './token-form.js';
import { figure, headline, moment } from './words.js';

/** The whole page. What it showed last stays, dimmed, while nobody answers. */
export class Page {
  readonly element = element('div', 'cluster');
  readonly #colours = new Colours();
  readonly #headline = element('h1', '', 'Looking around…');
  readonly #asked = element('p', 'cluster__asked');
  readonly #trouble = element('p', 'cluster__trouble');
  readonly #health = new Health();
  readonly #lock: TokenForm;
  readonly #nodes = element('div', 'cluster__nodes');
  readonly #cards = new Map<string, NodeCard>();
  readonly #slots: SlotPicture;
  readonly #timeline = new Timeline(this.#colours);
  readonly #body: HTMLElement;

  constructor(useToken: (token: string) => void) {
    this.#lock = new TokenForm(useToken);
    const caption = element('p', 'slots__caption', 'A document lives in one of them, by its name.');
    this.#slots = new SlotPicture(this.#colours, caption);
    this.#trouble.role = 'status';
    const mark = element('img', '');
    mark.src = '/favicon.svg';
    mark.alt = '';
    const brand = element('a', 'cluster__brand', mark, 'Homeport');
    brand.href = '/';
    this.#body = element(
      'div',
      'cluster__body',
      this.#nodes,
      element(
        'div',
        'cluster__below',
        element('section', 'card slots', element('h2', '', 'Slots'), this.#slots.element, caption),
        element('section', 'card', element('h2', '', 'What happened'), this.#timeline.element),
      ),
    );
    const top = element('header', 'cluster__top', brand, this.#health.element);
    const main = element('main', 'cluster__main', top, this.#headline, this.#asked, this.#trouble, this.#lock.element);
    main.append(this.#body);
    this.element.append(main);
    this.element.dataset['state'] = 'looking';
  }

  show(answer: Answer, round: Round): void {
    switch (answer.kind) {
      case 'view':
        this.#showView(answer.view, Date.now());
        this.element.dataset['state'] = 'live';
        break;
      case 'locked':
        say(this.#headline, 'Who is there?');
        this.#lock.show(answer.wasRefused);
        this.element.dataset['state'] = 'locked';
        break;
      case 'silent':
        if (round.hasUntried) break;
        say(this.#headline, 'No node answers.');
        this.element.dataset['state'] = 'silent';
        break;
    }
    say(this.#trouble, troubleOf(answer, round));
  }

  #showView(view: ClusterView, now: number): void {
    const me = view.nodes.find(({ id }) => id === view.me);
    say(this.#headline, headline(view));
    say(this.#asked, `As ${me?.name ?? view.me} sees it · map ${figure(view.version)} · ${moment(now, now)}`);
    this.#health.show(view);
    // The nodes first: colours are given in the order of their names.
    this.#showNodes(view);
    this.#slots.show(view);
    this.#timeline.show(view, now);
  }

  #showNodes({ nodes, me, slots }: ClusterView): void {
    const gone = new Set(this.#cards.keys());
    for (const node of nodes) {
      gone.delete(node.id);
      let card = this.#cards.get(node.id);
      if (card === undefined) this.#cards.set(node.id, (card = new NodeCard()));
      card.show(node, { colour: this.#colours.of(node.name), isAsked: node.id === me, slots: slots.length });
    }
    for (const id of gone) this.#cards.delete(id);
    const cards = nodes.map(({ id }) => this.#cards.get(id)!.element);
    if (cards.some((card, index) => this.#nodes.children[index] !== card) || gone.size > 0)
      this.#nodes.replaceChildren(...cards);
  }
}

/** Empty when all is well. */
function troubleOf(answer: Answer, round: Round): string {
  if (answer.kind === 'locked' || !round.isHomeSilent) return '';
  const home = placeOf(round.home);
  return answer.kind === 'view' || round.hasUntried
    ? `${home} does not answer: another node is asked.`
    : `Nobody answers, neither ${home} nor another node that was known. They are asked again and again.`;
}

function placeOf({ url, name }: Place): string {
  const host = url.replace(/^https?:\/\//, '');
  return name === undefined ? host : `${name} (${host})`;
}
