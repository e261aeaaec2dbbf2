/** `docs/spec.md` and the tests, held against each other: no rule without a test, no test of a rule that is not written. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;

/** A rule is a line that begins with its id: `- **W1** …`. */
const written = readFileSync(join(ROOT, 'docs/spec.md'), 'utf8')
  .split('\n')
  .flatMap((line) => /^- \*\*([A-Z]\d+)\*\* \S/.exec(line)?.[1] ?? []);

/** A test cites rules at the beginning of its name: `it('W1: …')`, `it('W1 R4: …')`. */
const CITATION = /(['"`])([A-Z]\d{1,2}(?:,? [A-Z]\d{1,2})*): /g;
const cited = new Map<string, string>();
for (const top of ['apps', 'libs', 'test']) {
  for (const file of readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })) {
    if (file.includes('node_modules') || !/\.(spec|contract)\.tsx?$/.test(file) || file.endsWith('spec-ids.spec.ts'))
      continue;
    for (const [, , ids] of readFileSync(join(ROOT, top, file), 'utf8').matchAll(CITATION))
      for (const id of ids!.split(/,? /)) cited.set(id, join(top, file));
  }
}

it('every rule is written once', () => {
  expect(written.length).toBeGreaterThan(30);
  expect(written.filter((id, index) => written.indexOf(id) !== index)).toEqual([]);
});

it('every rule is cited by the name of a test', () => {
  expect(written.filter((id) => !cited.has(id))).toEqual([]);
});

it('every rule that the name of a test cites is written', () => {
  expect([...cited].filter(([id]) => !written.includes(id))).toEqual([]);
});
