import type { DatabaseSync } from 'node:sqlite';
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
  return {
    close: () => database.close(),
    prepare(sql): SqliteStatement {
      const statement = database.prepare(sql);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...(parameters as Parameters)),
        run: (parameters) => statement.run(...(parameters as Parameters)),
        iterate: (parameters) => statement.iterate(...(parameters as Parameters)),
      };
    },
  };
}
