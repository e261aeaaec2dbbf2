import type { ClusterView } from '@homeport/core';
import { element, say } from './element.js';
import { lasting } from './words.js';

/** Postgres and Redis, as the asked node finds them. */
export class Health {
  readonly element = element('ul', 'health');
  readonly #postgres = element('li', 'health__part');
  readonly #redis = element('li', 'health__part');

  constructor() {
    this.element.append(this.#postgres, this.#redis);
  }

  show({ postgres, redis }: ClusterView): void {
    const renewal = postgres.renewalMs === undefined ? '' : `, lease renewed in ${lasting(postgres.renewalMs)}`;
    this.#postgres.dataset['state'] = postgres.state;
    say(this.#postgres, postgres.state === 'up' ? `Postgres is up${renewal}` : 'Postgres does not answer');
    this.#redis.dataset['state'] = redis.state;
    say(this.#redis, { up: 'Redis is up', away: 'Redis does not answer', off: 'Without Redis' }[redis.state]);
  }
}
