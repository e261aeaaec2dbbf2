/** Reads documents over HTTP from any node, and asks that the answer is not older than what some client has been told. */
import type { DocumentId, Position, RecordStates, Seq } from '@homeport/protocol';
import { DocumentCopy } from '../history/document-copy.js';
import { nowMs, type Operation } from '../history/operation.js';

/** An answer that did not come says nothing; it is only counted. */
const ANSWER_WITHIN_MS = 10_000;

export class HttpReader {
  answered = 0;
  unanswered = 0;

  constructor(
    private readonly name: string,
    private readonly record: (operation: Operation) => void,
    private readonly token?: string,
  ) {}

  /** Never rejects. Answers the seq that was read; undefined, if there was no answer. */
  async read(url: string, document: DocumentId, atLeast: Position | undefined): Promise<Seq | undefined> {
    const start = nowMs();
    const headers = {
      ...(atLeast && { 'Homeport-Min-Position': `${atLeast.timeline}.${atLeast.seq}` }),
      ...(this.token !== undefined && { Authorization: `Bearer ${this.token}` }),
    };
    try {
      const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
      const response = await fetch(`${url}/v1/documents/${document}`, { headers, signal });
      const body = (await response.json()) as { ok: boolean; position: Position; records: RecordStates };
      if (!response.ok || !body.ok) throw new Error(String(response.status));
      this.#record(url, document, start, body.position.seq, body.records);
      this.answered++;
      return body.position.seq;
    } catch {
      this.unanswered++;
      return undefined;
    }
  }

  #record(url: string, document: DocumentId, start: number, seq: Seq, records: RecordStates): void {
    const end = nowMs();
    const copy = new DocumentCopy();
    copy.install(records);
    copy.standAt(seq);
    const hash = copy.hash();
    this.record({
      ...{ kind: 'read', start, end, client: this.name, user: 'http', session: this.name, document },
      ...{ node: url, epoch: 0, seq, ...(hash !== undefined && { hash }) },
    });
  }
}
