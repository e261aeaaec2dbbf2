import type { ClusterView } from '@homeport/core';
import type { Colours } from './colours.js';
import { element } from './element.js';
import { moment, told } from './words.js';

type Event = ClusterView['timeline'][number];

/** What happened to nodes and slots, the newest first. */
export class Timeline {
  readonly element = element('ol', 'timeline');
  #shown: readonly string[] = [];

  constructor(private readonly colours: Colours) {}

  show({ timeline }: ClusterView, now: number): void {
    const events = [...timeline].reverse();
    const keys = events.map((event) => JSON.stringify(event));
    if (keys.join() === this.#shown.join()) return;
    const known = new Set(this.#shown);
    const isFirst = known.size === 0;
    this.element.replaceChildren(
      ...events.map((event, index) => this.#line(event, now, !isFirst && !known.has(keys[index]!))),
    );
    this.#shown = keys;
  }

  #line(event: Event, now: number, isNew: boolean): HTMLElement {
    const { who, what, took } = told(event);
    const line = element(
      'li',
      isNew ? 'event event--new' : 'event',
      element('span', 'event__dot'),
      element('span', 'event__what', element('strong', '', who), ` ${what} `, element('span', 'event__took', took)),
      element('time', 'event__when', moment(event.at, now)),
    );
    line.dataset['kind'] = event.kind;
    line.style.setProperty('--owner', this.colours.of(who));
    return line;
  }
}
