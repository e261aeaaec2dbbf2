/** The documents name files: they are where the documents say. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const pages = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((page) => join('docs', page)),
].filter((page) => page.endsWith('.md'));

describe.each(pages)('%s', (page) => {
  const text = (): string => readFileSync(join(ROOT, page), 'utf8');

  it('names paths that exist', () => {
    const paths = [...text().matchAll(/`((?:apps|libs|migrations|docs|scripts|test)\/[\w./-]*)`/g)].map(
      ([, path]) => path!,
    );
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('links to pages that exist', () => {
    const links = [...text().matchAll(/\]\((?!\w+:|#)([^)#]+)/g)].map(([, link]) => link!);
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([]);
  });
});
