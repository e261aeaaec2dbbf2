/**
 * Known bugs, planted by putting something between a node and its ports. A simulation that does not notice them would
 * not notice others.
 */
import {
  DocumentLog,
  LeaseTable,
  pause,
  type AppendOutcome,
  type Batch,
  type CheckpointStep,
  type LoadedDocument,
  type LoggedEntry,
  type Renewal,
  type Slot,
  type Tenure,
} from '@homeport/core';
import type { DocumentId, Seq } from '@homeport/protocol';
import type { LockRows, MemoryDatabase } from '../memory-database.js';
import { MemoryDocumentLog } from '../memory-document-log.js';
import { MemoryLink } from '../memory-link.js';
import { LateLog } from './late-log.js';
import type { Planted } from './sim-node.js';

/** Passes everything on. */
class Through extends DocumentLog {
  constructor(
    readonly log: DocumentLog,
    readonly database: MemoryDatabase,
  ) {
    super();
  }

  override timeline() {
    return this.log.timeline();
  }

  override append(owner: string, batches: readonly Batch[]): Promise<AppendOutcome> {
    return this.log.append(owner, batches);
  }

  override load(document: DocumentId): Promise<LoadedDocument> {
    return this.log.load(document);
  }

  override entries(document: DocumentId, from: Seq, bytesMax: number): Promise<readonly LoggedEntry[] | 'trimmed'> {
    return this.log.entries(document, from, bytesMax);
  }

  override checkpoint(owner: string, step: CheckpointStep): ReturnType<DocumentLog['checkpoint']> {
    return this.log.checkpoint(owner, step);
  }
}

/** Says durable before it is: an ack before the commit. */
class Hasty extends Through {
  override async append(owner: string, batches: readonly Batch[]): Promise<AppendOutcome> {
    void this.log.append(owner, batches);
    return { kind: 'answered', verdicts: new Map(batches.map(({ document }) => [document, 'durable'])) };
  }
}

/** Flushes that do not ask whether the slots are still their owner's. */
class Unfenced extends LateLog {
  protected override async fence(
    owner: string,
    tenures: readonly Tenure[],
    lock: LockRows,
  ): Promise<ReadonlySet<Slot>> {
    const held = await super.fence(owner, tenures, lock);
    const isCheckpoint = tenures.some((tenure) => 'upserts' in tenure);
    return isCheckpoint ? held : new Set(tenures.map(({ slot }) => slot));
  }
}

/** A checkpoint that asks neither who owns the slot nor what is there already. */
class Overwriting extends Through {
  override async checkpoint(owner: string, step: CheckpointStep): ReturnType<DocumentLog['checkpoint']> {
    const { clock, random } = this.database;
    await pause(clock, random.chance(0.5) ? random.between(0, 50) : random.between(0, 4_000));
    const tables = this.database.documents.get(step.document);
    if (tables === undefined) return this.log.checkpoint(owner, step);
    for (const row of step.upserts) tables.records.set(row.key, row);
    for (const { key } of step.deletes) tables.records.delete(key);
    if (step.advance !== undefined) {
      tables.checkpoint = step.advance.checkpoint;
      for (const mark of step.advance.marks) tables.marks.set(JSON.stringify([mark.user, mark.session]), mark);
    }
    return 'done';
  }
}

/** Session marks are not part of the checkpoint. */
class Markless extends Through {
  override checkpoint(owner: string, step: CheckpointStep): ReturnType<DocumentLog['checkpoint']> {
    if (step.advance === undefined) return this.log.checkpoint(owner, step);
    return this.log.checkpoint(owner, { ...step, advance: { ...step.advance, marks: [] } });
  }
}

/** What a document knows of its sessions is not rebuilt from the tail. */
class Forgetful extends Through {
  override async load(document: DocumentId): Promise<LoadedDocument> {
    const loaded = await this.log.load(document);
    return { ...loaded, tail: loaded.tail.map((entry) => ({ ...entry, opNo: 0 })) };
  }
}

/** Loads what it loaded before. */
class StaleLoad extends Through {
  static readonly #loaded = new WeakMap<MemoryDatabase, Map<DocumentId, LoadedDocument>>();

  override async load(document: DocumentId): Promise<LoadedDocument> {
    const loaded = StaleLoad.#loaded.get(this.database) ?? new Map<DocumentId, LoadedDocument>();
    StaleLoad.#loaded.set(this.database, loaded);
    const before = loaded.get(document);
    if (before !== undefined) return before;
    const now = await this.log.load(document);
    loaded.set(document, now);
    return now;
  }
}

/** Reads what was folded at one moment, and the rest of the log at a later one. */
export class TornLoad extends Through {
  override async load(document: DocumentId): Promise<LoadedDocument> {
    const { records, marks } = await this.log.load(document);
    await pause(this.database.clock, this.database.random.between(0, 400));
    return { ...(await this.log.load(document)), records, marks };
  }
}

/** A failed load looks like an empty document. */
class EmptyLoad extends Through {
  override load(document: DocumentId): Promise<LoadedDocument> {
    const nothing = { head: 0 as Seq, checkpoint: 0 as Seq, forgottenTo: 0 as Seq, records: [], marks: [], tail: [] };
    return this.log.load(document).catch(() => nothing);
  }
}

export class LeasesThrough extends LeaseTable {
  constructor(
    readonly leases: LeaseTable,
    readonly database: MemoryDatabase,
  ) {
    super();
  }

  override renew(nodeId: string): Promise<Renewal> {
    return this.leases.renew(nodeId);
  }

  override nodes() {
    return this.leases.nodes();
  }

  override join(...ask: Parameters<LeaseTable['join']>) {
    return this.leases.join(...ask);
  }

  override isLockFree(nodeId: string) {
    return this.leases.isLockFree(nodeId);
  }

  override takeOver(...ask: Parameters<LeaseTable['takeOver']>) {
    return this.leases.takeOver(...ask);
  }

  override slots(known: readonly number[]) {
    return this.leases.slots(known);
  }

  override handOff(...ask: Parameters<LeaseTable['handOff']>) {
    return this.leases.handOff(...ask);
  }

  override drain(me: string) {
    return this.leases.drain(me);
  }

  override raise(...ask: Parameters<LeaseTable['raise']>) {
    return this.leases.raise(...ask);
  }

  override leave(me: string) {
    return this.leases.leave(me);
  }
}

/** Answers a renewal with the last one, so that a lease counts from later than its renewal was sent. */
export class EagerLeases extends LeasesThrough {
  #last: Renewal | undefined;

  override async renew(nodeId: string): Promise<Renewal> {
    const renewing = this.leases.renew(nodeId).then((renewal) => (this.#last = renewal));
    return this.#last?.kind === 'renewed' ? this.#last : renewing;
  }
}

/** The load belongs to the snapshot in which the slots were taken over. */
function loadInTheTakeover(): Planted {
  let taken = new Map<DocumentId, LoadedDocument>();
  class Early extends Through {
    override async load(document: DocumentId): Promise<LoadedDocument> {
      const early = taken.get(document);
      taken.delete(document);
      return early ?? this.log.load(document);
    }
  }
  class Taking extends LeasesThrough {
    override async takeOver(...[me, victim, slots]: Parameters<LeaseTable['takeOver']>) {
      const log = new MemoryDocumentLog(new MemoryLink(this.database));
      if (victim !== undefined)
        for (const document of this.database.documents.keys()) taken.set(document, await log.load(document));
      return this.leases.takeOver(me, victim, slots);
    }
  }
  return {
    log: (log, database) => {
      taken = new Map();
      return new Early(log, database);
    },
    leases: (leases, database) => new Taking(leases, database),
  };
}

/** Some keep something: each run gets its own. */
export const PLANTED_BUGS: readonly {
  readonly bug: string;
  /** What the run fails with. */
  readonly rules: RegExp;
  readonly planted: () => Planted;
}[] = [
  {
    bug: 'an ack before the commit',
    rules: /W8 W1 at/,
    planted: () => ({ log: (log, database) => new Hasty(log, database) }),
  },
  {
    bug: 'a flush without the fence',
    rules: /W6 W10|W2 at|W3 at|W5 at|W7 at|R1 at/,
    planted: () => ({ memoryLog: (link, poison) => new Unfenced(link, poison) }),
  },
  {
    bug: 'a checkpoint without fence and guard',
    rules: /R4 D3 at|X7 at|W4 at|W5 at|W7 at/,
    planted: () => ({ log: (log, database) => new Overwriting(log, database) }),
  },
  {
    bug: 'session marks that are not in the checkpoint',
    rules: /X7 at|W5 at/,
    planted: () => ({ log: (log, database) => new Markless(log, database) }),
  },
  {
    bug: 'dedupe that forgets the tail',
    rules: /X7 at|W5 at|R5 at/,
    planted: () => ({ log: (log, database) => new Forgetful(log, database) }),
  },
  {
    bug: 'takeover and load in one snapshot',
    rules: /W7 at|W6 W10/,
    planted: loadInTheTakeover,
  },
  {
    bug: 'a load of an older tenure',
    rules: /W7 at|W6 W10/,
    planted: () => ({ log: (log, database) => new StaleLoad(log, database) }),
  },
  {
    bug: 'a failed load that looks like an empty document',
    rules: /W7 at/,
    planted: () => ({ log: (log, database) => new EmptyLoad(log, database) }),
  },
  {
    bug: 'a lease counted from the reply',
    rules: /R1 at|X7 at/,
    planted: () => ({ leases: (leases, database) => new EagerLeases(leases, database) }),
  },
];
