/**
 * A planted bug: a document is loaded from a snapshot that is older than the takeover, as in one transaction with it. Each
 * node looks at all documents now and then, and what it installs when it becomes an owner is what it had seen.
 */
import { connect, PostgresDocumentLog } from '@homeport/postgres';

const LOOK_EVERY_MS = 1_500;

const load = PostgresDocumentLog.prototype.load;
const sql = connect(process.env['DATABASE_URL']!, 1);
const seen = new Map<string, ReturnType<typeof load>>();
let isLooking = false;

PostgresDocumentLog.prototype.load = async function (this: PostgresDocumentLog, document) {
  if (!isLooking) {
    isLooking = true;
    setInterval(() => void look(this), LOOK_EVERY_MS).unref();
  }
  const old = seen.get(document);
  seen.delete(document);
  return old ?? load.call(this, document);
};

async function look(log: PostgresDocumentLog): Promise<void> {
  const rows = await sql<{ id: string }[]>`SELECT document_id AS id FROM document`.catch(() => []);
  for (const { id } of rows) {
    const loaded = load.call(log, id);
    loaded.catch(() => {});
    seen.set(id, loaded);
  }
}
