import type { ClusterView } from '@homeport/core';
import { element, say } from './element.js';
import type { Colours } from './colours.js';
import { counted } from './words.js';

/** Every slot in the colour of its owner. One that moves swells and takes its new colour; one without an owner is hollow. */
export class SlotPicture {
  readonly element = element('div', 'slots__picture');
  readonly #cells: HTMLElement[] = [];
  /** By the cell, the name that it shows; empty: nobody. */
  #owners: readonly string[] = [];
  readonly #say: HTMLElement;

  /** Below the picture stands what moved last, for as long as the page is open. */
  constructor(
    private readonly colours: Colours,
    caption: HTMLElement,
  ) {
    this.#say = caption;
    this.element.role = 'img';
    // A swelling that has ended can begin anew.
    this.element.addEventListener('animationend', ({ target }) => (target as Element).classList.remove('slot--moved'));
  }

  show({ nodes, slots }: ClusterView): void {
    const owners = slots.map((owner) => nodes[owner]?.name ?? '');
    while (this.#cells.length < owners.length) {
      const cell = element('i', 'slot');
      this.#cells.push(cell);
      this.element.append(cell);
    }
    const isFirst = this.#owners.length === 0;
    const moved = owners.flatMap((owner, slot) => (owner === this.#owners[slot] ? [] : [slot]));
    for (const slot of moved) this.#paint(slot, owners[slot]!, !isFirst);
    this.#owners = owners;
    if (moved.length > 0 && !isFirst) say(this.#say, `${counted(moved.length, 'slot')} moved just now`);
    const counts = nodes.map(({ name }) => `${name} ${owners.filter((owner) => owner === name).length}`);
    this.element.ariaLabel = `Slots by owner: ${counts.join(', ')}`;
  }

  #paint(slot: number, owner: string, isMove: boolean): void {
    const cell = this.#cells[slot]!;
    cell.title = `slot ${slot} · ${owner === '' ? 'nobody' : owner}`;
    cell.classList.toggle('slot--homeless', owner === '');
    cell.style.setProperty('--owner', owner === '' ? 'transparent' : this.colours.of(owner));
    if (isMove) cell.classList.add('slot--moved');
  }
}
