/** Who one is to the others: a name and a colour, kept in this browser. */
const NAME = 'homeport.name';
const HUE = 'homeport.hue';
export const NAME_CHARS_MAX = 40;
/** Excalidraw paints cursors in one of so many hues. */
export const HUES = 37;

const ADJECTIVES = ['Amber', 'Brisk', 'Calm', 'Clever', 'Coral', 'Gentle', 'Merry', 'Quiet', 'Swift', 'Sunny'];
const ANIMALS = ['Auk', 'Dolphin', 'Gull', 'Heron', 'Otter', 'Puffin', 'Seal', 'Tern', 'Turtle', 'Whale'];

export interface Person {
  readonly name: string;
  readonly hue: number;
}

export function readPerson(): Person {
  const name = cleanName(localStorage.getItem(NAME) ?? '');
  const hue = Number(localStorage.getItem(HUE) ?? NaN);
  const person = {
    name: name || `${pick(ADJECTIVES)} ${pick(ANIMALS)}`,
    hue: Number.isInteger(hue) && hue >= 0 && hue < HUES ? hue : Math.floor(Math.random() * HUES),
  };
  writePerson(person);
  return person;
}

export function writePerson({ name, hue }: Person): void {
  localStorage.setItem(NAME, name);
  localStorage.setItem(HUE, String(hue));
}

export function cleanName(name: string): string {
  return name.replace(/\s+/g, ' ').trim().slice(0, NAME_CHARS_MAX);
}

/** As Excalidraw paints a cursor of this hue. */
export function colourOf(hue: number): string {
  return `hsl(${hue * 10}, 100%, 83%)`;
}

function pick(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)]!;
}
