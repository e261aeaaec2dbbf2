/**
 * The end of a run: everything settles, all copies and all nodes are asked for their last word, and what was recorded is
 * held against the log.
 */
import { join } from 'node:path';
import { readdir, writeFile } from 'node:fs/promises';
import type { DocumentId } from '@homeport/protocol';
import { HttpReader } from '../clients/http-reader.js';
import { check, describe, NOTHING_CHECKED } from '../history/checker.js';
import type { FaultTime, Violation } from '../history/evidence.js';
import type { LogRow } from '../history/final-log.js';
import { readHistory, Recorder } from '../history/recorder.js';
import type { Operation } from '../history/operation.js';
import type { Generators } from './generators.js';
import type { RunVerdict } from './run-result.js';
import type { System } from './system.js';

/** So many documents are read from every node in the end; of more, some from all over. */
const READ_EVERYWHERE_MAX = 300;
const VIOLATIONS_KEPT = 1_000;
const VIOLATIONS_SHOWN = 5;

export interface Case {
  readonly system: System;
  readonly generators: Generators;
  readonly token: string | undefined;
  readonly historyFolder: string;
  /** Where the log is kept if a promise was broken. */
  readonly logFile: string;
  readonly faults: readonly FaultTime[];
  /** What was seen to be wrong on the way. */
  readonly violations: readonly Violation[];
  readonly failures: readonly string[];
}

export async function judge(matter: Case): Promise<RunVerdict> {
  const { system, historyFolder, faults } = matter;
  const failures = [...matter.failures];
  const { log, documents } = await settle(matter, failures);
  const history: Operation[] = [];
  for (const name of await readdir(historyFolder))
    try {
      for (const operation of await readHistory(join(historyFolder, name))) history.push(operation);
    } catch {
      failures.push(`${name} is cut off: what its generator saw is not checked`);
    }
  failures.push(...(system.own?.cluster.strays ?? []));
  const spans = await system.spans();
  const verdict = check({ history, log: log ?? [], spans, faults });
  // Without the log every push would seem lost.
  const found = log ? verdict.violations : [];
  const violations = [...matter.violations, ...found.filter(({ rule }) => rule !== NOTHING_CHECKED)];
  for (const { rule, says } of found) if (rule === NOTHING_CHECKED) failures.push(says);
  if (log && violations.length > 0) await writeFile(matter.logFile, linesOf(log));
  if (spans.length === 0 && system.unseen.length === 0) failures.push('no node gave its word on any slot');
  const described = describe({ ...verdict, violations, ok: violations.length === 0 }, VIOLATIONS_SHOWN).split('\n');
  const seen = violations
    .slice(0, VIOLATIONS_SHOWN)
    .map(({ document, says }) => `seen on the way: ${document}: ${says}`);
  return {
    ok: log !== undefined && violations.length === 0 && failures.length === 0,
    says: [
      ...(log ? described : ['the log was not read: nothing was checked', ...seen]),
      ...(spans.length > 0 ? [`ownership: ${spans.length} words of nodes on their slots`] : []),
      ...system.unseen.map((what) => `not checked, ${what}`),
      ...(log ? unread(documents.length) : []),
      ...failures.map((failure) => `FAILED: ${failure}`),
    ],
    violations: violations.slice(0, VIOLATIONS_KEPT).map(({ rule, document, says }) => ({ rule, document, says })),
  };
}

interface Settled {
  /** Undefined: it can not be read, or there is nothing in it. */
  readonly log: readonly LogRow[] | undefined;
  /** All that anybody opened. */
  readonly documents: readonly DocumentId[];
}

/** What did not come goes to `failures`. */
async function settle(matter: Case, failures: string[]): Promise<Settled> {
  const { system, generators } = matter;
  const note = (missing: string | undefined): void => {
    if (missing !== undefined && !failures.includes(missing)) failures.push(missing);
  };
  try {
    const settled = await generators.quiet();
    for (const { missing } of settled) note(missing);
    const documents = [...new Set(settled.flatMap((one) => one.documents))];
    // It was cut off before anybody had done anything.
    if (documents.length === 0) return { log: undefined, documents };
    const log = await system.finalLog(documents).catch((error: Error) => {
      note(`the log could not be read: ${error.message.split('\n')[0]}`);
      return undefined;
    });
    const heads = log && headsOf(log);
    if (heads) await readEverywhere(matter, documents, heads, note);
    for (const { missing } of await generators.finish(heads)) note(missing);
    return { log, documents };
  } catch (error) {
    note((error as Error).message);
    return { log: undefined, documents: [] };
  }
}

/** All nodes agree, and none is behind the end. */
async function readEverywhere(
  { system, token, historyFolder }: Case,
  documents: readonly DocumentId[],
  heads: ReadonlyMap<DocumentId, number>,
  note: (missing: string) => void,
): Promise<void> {
  const recorder = new Recorder(join(historyFolder, 'conductor.jsonl'));
  const reader = new HttpReader('http-final', (operation) => recorder.record(operation), token);
  for (const document of spread(documents, READ_EVERYWHERE_MAX))
    for (const url of system.urls)
      if (((await reader.read(url, document, undefined)) ?? -1) < (heads.get(document) ?? 0))
        note(`${url} did not answer for ${document} with its end when all was quiet`);
  await recorder.close();
}

function* linesOf(log: readonly LogRow[]): Generator<string> {
  for (const row of log) yield `${JSON.stringify(row)}\n`;
}

/** So many of them, at even distances. */
function spread<Item>(items: readonly Item[], count: number): readonly Item[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}

function unread(documents: number): string[] {
  const left = documents - READ_EVERYWHERE_MAX;
  if (left <= 0) return [];
  return [`not checked, the end of ${left} of ${documents} documents at every node: ${READ_EVERYWHERE_MAX} were read`];
}

function headsOf(log: readonly LogRow[]): Map<DocumentId, number> {
  const heads = new Map<DocumentId, number>();
  for (const { document, toSeq } of log) heads.set(document, Math.max(toSeq, heads.get(document) ?? 0));
  return heads;
}
