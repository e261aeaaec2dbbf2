/**
 * A terminal as far as the live view needs one: it wraps at its width, scrolls at its height, and knows the codes for
 * up, clear below, cursor on and off, and colours. Any other code is a fault of the test.
 */
export class FakeTerminal {
  written = '';
  isCursorShown = true;
  /** How many rows have left it at the top. */
  scrolled = 0;
  #rows: string[] = [''];
  #row = 0;
  #column = 0;
  readonly #stream: { readonly isTTY: true; readonly rows: number; columns: number; write(text: string): boolean };

  constructor(
    columns: number,
    private readonly rows: number,
  ) {
    this.#stream = { isTTY: true, rows, columns, write: (text) => this.#write(text) };
  }

  get stream(): NodeJS.WriteStream {
    return this.#stream as unknown as NodeJS.WriteStream;
  }

  get screen(): string[] {
    return this.#rows.map((row) => row.trimEnd());
  }

  /** Rows that are too long now are wrapped, as terminals do; the cursor stays where it was in the text. */
  resize(columns: number): void {
    this.#stream.columns = columns;
    const wrapped = this.#rows.map((row) => row.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? ['']);
    this.#row = wrapped.slice(0, this.#row).flat().length;
    this.#rows = wrapped.flat();
  }

  #write(text: string): boolean {
    this.written += text;
    const [before = '', ...parts] = text.split('\x1b[');
    this.#put(before);
    for (const part of parts) {
      const [code = part] = /^[?\d;]*[A-Za-z]/.exec(part) ?? [];
      this.#obey(code);
      this.#put(part.slice(code.length));
    }
    return true;
  }

  #put(text: string): void {
    for (const char of text) this.#putChar(char);
  }

  #putChar(char: string): void {
    if (char === '\r') this.#column = 0;
    else if (char === '\n') this.#nextRow();
    else {
      if (this.#column >= this.#stream.columns) this.#nextRow();
      const row = this.#rows[this.#row]!.padEnd(this.#column);
      this.#rows[this.#row] = row.slice(0, this.#column) + char + row.slice(this.#column + 1);
      this.#column++;
    }
  }

  #nextRow(): void {
    this.#column = 0;
    this.#row++;
    this.#rows[this.#row] ??= '';
    this.scrolled = Math.max(this.scrolled, this.#rows.length - this.rows);
  }

  #obey(code: string): void {
    if (code.endsWith('m')) return;
    if (code === '?25l') this.isCursorShown = false;
    else if (code === '?25h') this.isCursorShown = true;
    else if (code === 'J') {
      this.#rows.length = this.#row + 1;
      this.#rows[this.#row] = this.#rows[this.#row]!.slice(0, this.#column);
    } else if (/^\d+A$/.test(code)) this.#row = Math.max(0, this.#row - Number(code.slice(0, -1)));
    else throw new Error(`a code that this terminal does not know: ${JSON.stringify(code)}`);
  }
}
