/**
 * The rules of `.oxlintrc.json`, tried out: a copy of the repository's layout with one planted fault in each file, and
 * one file without a fault beside each. A rule that catches nothing any more is found here.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;

interface Fault {
  readonly file: string;
  readonly code: string;
  readonly rule: string;
}

interface Finding {
  readonly filename: string;
  readonly code: string;
  readonly message: string;
}

const imports = (from: string): string => `import { it } from '${from}';\nexport const planted = it;\n`;
const boundary = (file: string, from: string): Fault => ({ file, code: imports(from), rule: 'no-restricted-imports' });

const FAULTS: readonly Fault[] = [
  boundary('libs/protocol/src/a.ts', 'fast-json'),
  boundary('libs/protocol/src/b.ts', '@homeport/core'),
  boundary('libs/protocol/src/c.ts', 'node:fs/promises'),
  boundary('libs/protocol/src/d.ts', '../../core/src/index.js'),
  boundary('libs/core/src/a.ts', '@homeport/postgres'),
  boundary('libs/core/src/b.ts', 'node:fs'),
  boundary('libs/core/src/runtime/a.ts', '../document/document.js'),
  boundary('libs/core/src/document/a.ts', 'node:fs/promises'),
  boundary('libs/core/src/document/b.ts', 'fs/promises'),
  boundary('libs/core/src/document/c.ts', '@nestjs/common'),
  boundary('libs/core/src/document/d.ts', '../session/session.js'),
  boundary('libs/core/src/document/e.ts', '../cluster/directory.js'),
  boundary('libs/core/src/document/f.ts', '../../../postgres/src/index.js'),
  boundary('libs/core/src/document/g.ts', '@homeport/testkit'),
  boundary('libs/core/src/document/h.ts', '../runtime/../session/session.js'),
  boundary('libs/core/src/document/i.ts', '@homeport/protocol/src/parse.js'),
  boundary('libs/core/src/session/a.ts', '../cluster/directory.js'),
  boundary('libs/core/src/session/b.ts', 'socket.io'),
  boundary('libs/core/src/cluster/a.ts', '../session/session.js'),
  boundary('libs/core/src/cluster/b.ts', 'ioredis'),
  boundary('libs/postgres/src/a.ts', '@nestjs/common'),
  boundary('libs/postgres/src/b.ts', '@homeport/client'),
  boundary('libs/postgres/src/c.ts', '@homeport/testkit'),
  boundary('libs/postgres/src/d.ts', '@homeport/redis'),
  boundary('libs/redis/src/a.ts', '@homeport/postgres'),
  boundary('libs/redis/src/b.ts', '@homeport/testkit'),
  boundary('libs/redis/src/c.ts', 'socket.io'),
  boundary('libs/redis/src/d.ts', '../../postgres/src/index.js'),
  boundary('libs/client/src/a.ts', '@homeport/core'),
  boundary('libs/client/src/b.ts', 'node:events'),
  boundary('libs/testkit/src/b.ts', '@homeport/redis'),
  boundary('libs/testkit/src/a.ts', '@homeport/postgres'),
  boundary('apps/server/src/a.ts', '@homeport/testkit'),
  boundary('apps/server/src/b.ts', '@homeport/client'),
  boundary('apps/server/src/c.ts', '../../../libs/core/src/index.js'),
  boundary('apps/whiteboard/src/a.ts', '@homeport/core'),
  boundary('apps/whiteboard/src/b.ts', 'lodash/fp'),
  boundary('apps/whiteboard/src/c.ts', '../../server/src/config.js'),
  boundary('apps/cluster/src/a.ts', '@homeport/core'),
  boundary('apps/cluster/src/b.ts', '../../whiteboard/src/board-id.js'),
  boundary('apps/load/src/a.ts', '../../server/src/config.js'),
  { file: 'libs/core/src/document/j.ts', code: `export * from 'node:fs/promises';\n`, rule: 'no-restricted-imports' },
  {
    file: 'libs/core/src/document/k.ts',
    code: `export const planted = await import('node:fs');\n`,
    rule: 'no-restricted-imports',
  },
  { file: 'libs/core/src/timer.ts', code: `setTimeout(() => {}, 5);\n`, rule: 'no-restricted-globals' },
  { file: 'libs/core/src/session/date.ts', code: `export const now = Date.now();\n`, rule: 'no-restricted-globals' },
  { file: 'libs/core/src/cluster/env.ts', code: `export const env = process.env;\n`, rule: 'no-restricted-globals' },
  { file: 'libs/core/src/chance.ts', code: `export const n = Math.random();\n`, rule: 'no-restricted-properties' },
  { file: 'libs/protocol/src/date.ts', code: `export const now = new Date();\n`, rule: 'no-restricted-globals' },
  { file: 'libs/protocol/src/chance.ts', code: `export const n = Math.random();\n`, rule: 'no-restricted-properties' },
  { file: 'libs/core/src/any.ts', code: `export const planted = (x: any): string => x;\n`, rule: 'no-explicit-any' },
  { file: 'apps/server/src/any.ts', code: `export const planted = 1 as any;\n`, rule: 'no-explicit-any' },
  {
    file: 'libs/core/src/ignore.ts',
    code: `// @ts-ignore because\nexport const n: string = 1;\n`,
    rule: 'ban-ts-comment',
  },
  {
    file: 'libs/core/src/floating.ts',
    code: `async function work(): Promise<void> {}\nexport function planted(): void {\n  work();\n}\n`,
    rule: 'no-floating-promises',
  },
  {
    file: 'libs/core/src/exhaustive.ts',
    code: `export function planted(state: 'on' | 'off'): number {\n  switch (state) {\n    case 'on':\n      return 1;\n  }\n  return 0;\n}\n`,
    rule: 'switch-exhaustiveness-check',
  },
  {
    file: 'libs/core/src/cycle.ts',
    code: `import { other } from './cycle-other.js';\nexport const one = (): number => other();\n`,
    rule: 'no-cycle',
  },
  {
    file: 'libs/core/src/cycle-other.ts',
    code: `import { one } from './cycle.js';\nexport const other = (): number => one();\n`,
    rule: 'no-cycle',
  },
  {
    file: 'libs/core/src/value-import.ts',
    code: `import { Shape } from './shape.js';\nexport const planted = (shape: Shape): Shape => shape;\n`,
    rule: 'consistent-type-imports',
  },
  {
    file: 'libs/core/src/focused.spec.ts',
    code: `import { expect, it } from 'vitest';\nit.only('alone', () => expect(1).toBe(1));\n`,
    rule: 'no-focused-tests',
  },
  {
    file: 'libs/core/src/skipped.spec.ts',
    code: `import { expect, it } from 'vitest';\nit.skip('never', () => expect(1).toBe(1));\n`,
    rule: 'no-disabled-tests',
  },
];

/** What is allowed, and easily forbidden by mistake. */
const CLEAN: Readonly<Record<string, string>> = {
  'libs/core/src/shape.ts': 'export interface Shape {\n  readonly x: number;\n}\n',
  'libs/protocol/src/fine.ts': imports('./json.js'),
  'libs/core/src/fine.ts': imports('@homeport/protocol') + `export * from './document/fine.js';\n`,
  'libs/core/src/document/fine.ts': imports('../runtime/clock.js') + `export * from './records.js';\n`,
  'libs/core/src/session/fine.ts': imports('../document/document.js'),
  'libs/core/src/cluster/fine.ts': imports('../document/slot.js'),
  'libs/core/src/document/fine.spec.ts': imports('@homeport/testkit') + `export * from 'node:fs/promises';\n`,
  'libs/postgres/src/fine.ts':
    imports('postgres') + `export * from 'node:fs/promises';\nexport * from '@homeport/core';\n`,
  'libs/redis/src/fine.ts': imports('ioredis') + `export * from 'node:crypto';\nexport * from '@homeport/core';\n`,
  'libs/client/src/fine.ts': imports('socket.io-client'),
  'libs/testkit/src/fine.ts': imports('node:fs/promises') + `export * from '@homeport/core';\n`,
  'apps/server/src/fine.ts': imports('@homeport/postgres') + `export const at = Date.now();\n`,
  'apps/whiteboard/src/fine.tsx': imports('react-dom/client') + `export * from './board/scene.js';\n`,
  'apps/cluster/src/fine.ts': `export type { ClusterView } from '@homeport/core';\nimport './cluster.css';\n`,
  'apps/load/src/fine.ts': imports('@homeport/testkit'),
};

describe('the lint rules', () => {
  let folder: string;
  let found: readonly Finding[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'homeport-lint-'));
    for (const file of ['.oxlintrc.json', 'tsconfig.json']) cpSync(join(ROOT, file), join(folder, file));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const { file, code } of FAULTS) write(join(folder, file), code);
    for (const [file, code] of Object.entries(CLEAN)) write(join(folder, file), code);
    found = await lint(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(FAULTS)('reports $rule in $file', ({ file, rule }) => {
    expect(found.filter(({ filename }) => filename === file).map(({ code }) => code)).toContainEqual(
      expect.stringContaining(`(${rule})`),
    );
  });

  it('reports nothing where there is no fault', () => {
    expect(found.filter(({ filename }) => filename in CLEAN)).toEqual([]);
  });

  it('reports nothing in this repository', async () => {
    expect((await lint(ROOT)).map(({ filename, code, message }) => `${filename}: ${code} ${message}`)).toEqual([]);
  });

  it('is switched off nowhere', () => {
    // Put together here, so that this file does not find itself.
    const disable = new RegExp(['(ox|es)lint-', 'disable|@ts-', '(ignore|nocheck)'].join(''));
    // In a test it is a check of its own: that the types refuse something.
    const expectError = ['@ts-', 'expect-error'].join('');
    const sources = ['apps', 'libs', 'test', 'scripts'].flatMap((top) =>
      readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.(ts|tsx|mjs)$/.test(file) && !file.includes('node_modules'))
        .map((file) => join(top, file)),
    );
    expect(sources.length).toBeGreaterThan(50);
    const disabling = sources.filter((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      return disable.test(text) || (text.includes(expectError) && !file.endsWith('.spec.ts'));
    });
    expect(disabling.filter((file) => file !== 'test/boundaries.spec.ts')).toEqual([]);
  });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

async function lint(cwd: string): Promise<readonly Finding[]> {
  const bin = join(ROOT, 'node_modules/.bin/oxlint');
  const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
    // A non-zero exit only says that there are findings; what could not run leaves no JSON.
    execFile(bin, ['--format', 'json'], { cwd, maxBuffer: 64 * 1024 * 1024 }, (_error, out, err) =>
      resolve({ stdout: out, stderr: err }),
    );
  });
  if (!stdout.trimStart().startsWith('{')) throw new Error(`oxlint did not run: ${stderr || stdout}`);
  return (JSON.parse(stdout) as { diagnostics: Finding[] }).diagnostics;
}
