import type { NodeView } from '@homeport/core';
import { element, say } from './element.js';
import { figure, share } from './words.js';

/** One node: who it is, how it is, what it has to do, and how much of everything lives there. */
export class NodeCard {
  readonly element: HTMLElement;
  readonly #name = element('h3', 'node__name');
  readonly #state = element('span', 'node__state');
  readonly #url = element('a', 'node__url');
  readonly #sessions = element('dd', '');
  readonly #documents = element('dd', '');
  readonly #pending = element('dd', '');
  readonly #slots = element('strong', '');
  readonly #share = element('span', 'node__share');
  readonly #bar = element('span', 'node__bar-fill');

  constructor() {
    const facts = element('dl', 'node__facts');
    for (const [term, value] of [
      ['Sessions', this.#sessions],
      ['Documents', this.#documents],
      ['Waiting', this.#pending],
    ] as const)
      facts.append(element('div', '', element('dt', '', term), value));
    this.element = element(
      'article',
      'node',
      element('header', 'node__head', element('span', 'node__dot'), this.#name, this.#state),
      this.#url,
      facts,
      element('p', 'node__slots', element('span', '', this.#slots, ' slots'), this.#share),
      element('div', 'node__bar', this.#bar),
    );
  }

  show(node: NodeView, look: { readonly colour: string; readonly isAsked: boolean; readonly slots: number }): void {
    const { name, url, state, slots, load } = node;
    this.element.style.setProperty('--owner', look.colour);
    this.element.dataset['state'] = state;
    this.element.dataset['asked'] = String(look.isAsked);
    say(this.#name, name);
    say(this.#state, state);
    say(this.#url, url.replace(/^https?:\/\//, ''));
    // Behind one public address a load balancer finds the node by its name.
    this.#url.href = `${url.replace(/\/$/, '')}/cluster?node=${encodeURIComponent(name)}`;
    this.#url.title = `${node.id} at ${url}`;
    say(this.#sessions, load === undefined ? '–' : figure(load.sessions));
    say(this.#documents, load === undefined ? '–' : figure(load.documents));
    say(this.#pending, load === undefined ? '–' : figure(load.pendingPushes));
    say(this.#slots, figure(slots));
    say(this.#share, share(slots, look.slots));
    this.#bar.style.width = `${(slots / look.slots) * 100}%`;
  }
}
