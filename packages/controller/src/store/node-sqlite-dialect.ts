import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from 'kysely';

/** Kysely's SQLite dialect over Node's own `node:sqlite`, whose calls block: keep statements and transactions small. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: DatabaseSync;
  readonly #onClosed: () => void;

  /** Whoever opened the database passes it on: destroying Kysely closes it, once a query has been made. */
  constructor(database: DatabaseSync, onClosed: () => void = () => undefined) {
    super({ database: asKyselyWants(database) });
    this.#database = database;
    this.#onClosed = onClosed;
  }

  override createDriver(): SqliteDriver {
    return new SharingDriver(this.#database, this.#onClosed);
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalDdlAdapter();
  }
}

/** For a database that other processes write, too. */
class SharingDriver extends SqliteDriver {
  readonly #database: DatabaseSync;
  readonly #onClosed: () => void;

  constructor(database: DatabaseSync, onClosed: () => void) {
    super({ database: asKyselyWants(database) });
    this.#database = database;
    this.#onClosed = onClosed;
  }

  /** Waits for its turn to write here: one that has read first and then finds that another wrote cannot go on. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** SQLite undoes a transaction by itself on some errors, a full disk among them. Undoing it again would hide that error. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }

  override async destroy(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
    this.#onClosed();
  }
}

/** SQLite can create tables in a transaction, so that a migration that is killed midway leaves nothing. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

type Parameters = (string | number | null)[];

function asKyselyWants(database: DatabaseSync): SqliteDatabase {
  const prepared = new PreparedStatements(database);
  return {
    close: () => database.close(),
    prepare(sql): SqliteStatement {
      const { statement, reader } = prepared.of(sql);
      return {
        reader,
        all: (parameters) => statement.all(...(parameters as Parameters)),
        run: (parameters) => statement.run(...(parameters as Parameters)),
        // Read while others are run: with one of its own.
        iterate: (parameters) => database.prepare(sql).iterate(...(parameters as Parameters)),
      };
    },
  };
}

interface Prepared {
  statement: StatementSync;
  /** Whether it answers with rows. */
  reader: boolean;
}

/** A rollout runs the same few statements thousands of times. SQLite itself prepares one again when the tables have changed. */
const KEPT_STATEMENTS = 100;
/** An insert of many rows is as long as it has rows, and seldom as long again. */
const MAX_KEPT_CHARACTERS = 4_000;

class PreparedStatements {
  readonly #database: DatabaseSync;
  /** Those that were used last at the end. */
  readonly #kept = new Map<string, Prepared>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  of(sql: string): Prepared {
    const prepared = this.#kept.get(sql) ?? this.#prepare(sql);
    if (sql.length > MAX_KEPT_CHARACTERS) return prepared;
    this.#kept.delete(sql);
    this.#kept.set(sql, prepared);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_STATEMENTS && oldest !== undefined) this.#kept.delete(oldest);
    return prepared;
  }

  #prepare(sql: string): Prepared {
    const statement = this.#database.prepare(sql);
    return { statement, reader: statement.columns().length > 0 };
  }
}
