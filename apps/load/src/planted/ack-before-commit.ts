/**
 * A planted bug, loaded into the built server with `node --import`: the log answers `durable` at once and appends
 * afterwards. A server that is killed in between has acknowledged what nobody will ever find. The kill test must see it.
 */
import { PostgresDocumentLog } from '@homeport/postgres';

const append = PostgresDocumentLog.prototype.append;
/** The appends that were already answered, one after the other, so that each follows the head before it. */
let behind: Promise<unknown> = Promise.resolve();

PostgresDocumentLog.prototype.append = function (this: PostgresDocumentLog, owner, batches) {
  behind = behind.then(() => append.call(this, owner, batches));
  return Promise.resolve({
    kind: 'answered',
    verdicts: new Map(batches.map((batch) => [batch.document, 'durable'] as const)),
  });
};
