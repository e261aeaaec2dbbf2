/** A node on a memory database, with everything that it was built of within reach of a test. */
import {
  HomeNode,
  Identity,
  type Claim,
  type DocumentLog,
  type Grants,
  type LeaseTable,
  type LoadedDocument,
  type NodeInfo,
  type NodeSettings,
  type Session,
} from '@homeport/core';
import type { DocumentId } from '@homeport/protocol';
import { FakeClock, type ProcessClock } from './fake-clock.js';
import { MemoryDatabase } from './memory-database.js';
import { MemoryDocumentLog, type Poison } from './memory-document-log.js';
import { MemoryLeaseTable } from './memory-lease-table.js';
import { FaultPlan, MemoryLink } from './memory-link.js';
import { MemoryRevocationTable } from './memory-revocation-table.js';
import { RecordingChannel } from './recording-channel.js';
import { RecordingFanOut } from './recording-fan-out.js';
import { RecordingProbe } from './recording-probe.js';
import { nodeNamed } from './samples.js';
import { SeededRandom } from './seeded-random.js';

export interface TestHomeParts {
  readonly world: FakeClock;
  readonly database: MemoryDatabase;
  readonly info: NodeInfo;
  readonly settings: Partial<NodeSettings>;
  readonly poison: Poison;
  /** Puts something between the node and its log. */
  readonly log: (log: DocumentLog) => DocumentLog;
  readonly leases: (leases: LeaseTable) => LeaseTable;
}

export class TestHome {
  readonly world: FakeClock;
  readonly clock: ProcessClock;
  readonly database: MemoryDatabase;
  readonly info: NodeInfo;
  readonly faults = new FaultPlan();
  readonly link: MemoryLink;
  readonly fanOut = new RecordingFanOut();
  readonly probe = new RecordingProbe();
  readonly node: HomeNode;
  /** The documents that were loaded, in order. */
  readonly loads: DocumentId[] = [];

  constructor(parts: Partial<TestHomeParts> = {}) {
    this.world = parts.world ?? new FakeClock();
    this.database = parts.database ?? new MemoryDatabase(this.world, new SeededRandom(1));
    this.info = parts.info ?? nodeNamed('a');
    this.link = new MemoryLink(this.database, this.faults);
    this.clock = this.world.process();
    const { loads } = this;
    const log = new (class extends MemoryDocumentLog {
      override load(document: DocumentId): Promise<LoadedDocument> {
        loads.push(document);
        return super.load(document);
      }
    })(this.link, parts.poison);
    const leases = new MemoryLeaseTable(this.link);
    this.node = new HomeNode({
      node: this.info,
      log: parts.log?.(log) ?? log,
      leases: parts.leases?.(leases) ?? leases,
      revocations: new MemoryRevocationTable(this.link),
      fanOut: this.fanOut,
      clock: this.clock,
      random: new SeededRandom(2),
      probe: this.probe,
      ...(parts.settings && { settings: parts.settings }),
    });
  }

  static async start(parts: Partial<TestHomeParts> = {}, claim: Claim = 'careful'): Promise<TestHome> {
    const home = new TestHome(parts);
    await home.world.outcome('the start of the node', home.node.start(claim));
    return home;
  }

  document(id: string) {
    return this.node.directory.open(id, 'redirect');
  }

  connect(id: string, grants: Grants = { '*': 'write' }, expiresAtMs: number | null = null, issuedAtMs?: number) {
    const channel = new RecordingChannel(this.fanOut);
    const session: Session = this.node.connect(channel, new Identity('ada', grants, expiresAtMs, issuedAtMs), id);
    return { session, channel };
  }

  /** The process dies at once: nothing more happens in it. */
  crash(): void {
    this.clock.stop();
    this.link.cut();
  }
}
