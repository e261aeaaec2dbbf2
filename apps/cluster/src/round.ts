/**
 * Whom to ask next: the node that served this page for as long as it answers, else the others that were told of.
 *
 *   home answers ──> home again
 *   a place is silent ──> the next one that is not known to be silent; it is tried again after a while
 *   all are silent ──> the one that was asked the longest time ago
 */
import type { Answer } from './ask.js';

export interface Place {
  /** The origin, and no slash. */
  readonly url: string;
  /** By which a load balancer finds the node behind one public address. */
  readonly name: string | undefined;
}

const TRY_AGAIN_MS = 5_000;

export class Round {
  #places: Place[];
  /** When each silent place was last asked, on a monotonic clock. */
  readonly #silent = new Map<string, number>();

  /** `name`: of the node that the page was asked of, where it was. */
  constructor(origin: string, name?: string) {
    this.#places = [{ url: origin, name }];
  }

  /** The place that served the page, or that stands for it behind a load balancer. */
  get home(): Place {
    return this.#places[0]!;
  }

  /** Whether the home answers, as far as is known. */
  get isHomeSilent(): boolean {
    return this.#silent.has(keyOf(this.home));
  }

  get hasUntried(): boolean {
    return this.#places.some((place) => !this.#silent.has(keyOf(place)));
  }

  next(nowMs: number): Place {
    const since = (place: Place): number => nowMs - (this.#silent.get(keyOf(place)) ?? -Infinity);
    const ready = this.#places.find((place) => since(place) >= TRY_AGAIN_MS);
    return ready ?? this.#places.reduce((oldest, place) => (since(place) > since(oldest) ? place : oldest));
  }

  heard(place: Place, answer: Answer, nowMs: number): void {
    if (answer.kind === 'silent') {
      this.#silent.set(keyOf(place), nowMs);
      return;
    }
    this.#silent.delete(keyOf(place));
    if (answer.kind === 'view') this.#learn(place, answer);
  }

  /** The home is asked by name as soon as it is known, so that a load balancer does not show another one each time. */
  #learn(place: Place, { view }: Answer & { readonly kind: 'view' }): void {
    const me = view.nodes.find(({ id }) => id === view.me);
    const home = place === this.home && me !== undefined ? { url: this.home.url, name: me.name } : this.home;
    const others = view.nodes.filter(
      ({ name, state }) => name !== home.name && (state === 'up' || state === 'draining'),
    );
    this.#places = [home, ...others.map(({ name, url }) => ({ url: url.replace(/\/$/, ''), name }))];
  }
}

function keyOf({ url, name }: Place): string {
  return `${url} ${name ?? ''}`;
}
