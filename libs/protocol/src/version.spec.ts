import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { digest } from './canonical.js';
import { PROTOCOL_HISTORY, PROTOCOL_VERSION } from './version.js';

/** What the wire consists of, without comments and white space. */
function wire(): string {
  return ['terms', 'messages', 'codes', 'limits']
    .map((file) => readFileSync(new URL(`./${file}.ts`, import.meta.url), 'utf8'))
    .map((text) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').replace(/\s+/g, ''))
    .join('\n');
}

it('the wire is what the last line of its history says', () => {
  const last = PROTOCOL_HISTORY.at(-1)!;
  expect(last.version).toBe(PROTOCOL_VERSION);
  const hash = digest(wire());
  expect(
    last.hash,
    `The terms, messages, codes or limits of the wire changed; their hash is ${hash} now. If clients that are out there
     can tell the difference, add a line to PROTOCOL_HISTORY with this hash and the next version. Otherwise put it
     into the last line. (npx vitest run libs/protocol/src/version.spec.ts shows it again.)`,
  ).toBe(hash);
});

it('the history rises by one', () => {
  expect(PROTOCOL_HISTORY.map(({ version }) => version)).toEqual(PROTOCOL_HISTORY.map((_, index) => index + 1));
});
