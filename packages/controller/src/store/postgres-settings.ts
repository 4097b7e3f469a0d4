import type pg from 'pg';

const CONNECT_MS = 5_000;
/** No statement of ours takes long; one that does waits for a lock, or for a server that is gone. */
const STATEMENT_MS = 15_000;
/** A controller that vanishes in the middle of a transaction keeps its locks no longer than its lease. */
const SILENT_MS = 4_000;
/** The server ends a statement before; one that does not answer by then is behind a wire that was cut. */
const ANSWER_MS = 20_000;

/** How each connection to the database is made. */
export function postgresSettings(url: string, name: string): pg.ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: SILENT_MS,
    query_timeout: ANSWER_MS,
    application_name: name,
  };
}
