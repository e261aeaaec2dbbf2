import { element, say } from './element.js';

/** Asks for the ADMIN_TOKEN. */
export class TokenForm {
  readonly element: HTMLFormElement;
  readonly #why = element('p', 'lock__why');
  readonly #input = element('input', 'hp-input');

  constructor(use: (token: string) => void) {
    this.#input.type = 'password';
    this.#input.autocomplete = 'off';
    this.#input.placeholder = 'ADMIN_TOKEN';
    this.#input.ariaLabel = 'ADMIN_TOKEN';
    const row = element('div', 'hp-form', this.#input, element('button', 'hp-button', 'Enter'));
    this.element = element('form', 'lock', this.#why, row);
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      const token = this.#input.value.trim();
      if (token !== '') use(token);
    });
  }

  show(wasRefused: boolean): void {
    say(
      this.#why,
      wasRefused
        ? 'The server does not take this token. It is the ADMIN_TOKEN of its settings.'
        : 'The cluster is shown to who looks after it: enter the ADMIN_TOKEN of the server. It is kept for this tab.',
    );
  }
}
