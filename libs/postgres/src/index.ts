export { StartRefused } from './start-refused.js';
export { connect, Database, openDatabase } from './database.js';
export { EmbeddedPostgres } from './embedded.js';
export { migrate } from './migrate.js';
export { PostgresDocumentLog } from './postgres-document-log.js';
export { PostgresLeaseTable } from './postgres-lease-table.js';
export { PostgresRevocationTable } from './postgres-revocation-table.js';
