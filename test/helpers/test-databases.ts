import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe } from 'vitest';
import { queryAt, TestPostgres } from './postgres.ts';
import { requires } from './requires.ts';
import { tempDir } from './temp-dir.ts';

/** A kind of database that a controller can be given. */
export interface TestDatabases {
  kind: 'sqlite' | 'postgres';
  /** A new one, as `openStore` takes it. */
  create(): Promise<string>;
  /** Changes rows behind the store's back, as time would, or somebody with the password. */
  edit(location: string, ...statements: string[]): Promise<void>;
}

const sqlite: TestDatabases = {
  kind: 'sqlite',
  create: async () => join(tempDir(), 'sampan.db'),
  async edit(file, ...statements) {
    const database = new DatabaseSync(file);
    try {
      for (const statement of statements) database.exec(statement);
    } finally {
      database.close();
    }
  },
};

/** The same tests on SQLite and on a real PostgreSQL. */
export function onEachDatabase(title: string, tests: (databases: TestDatabases) => void): void {
  describe(`${title}, in SQLite`, () => tests(sqlite));
  describe.runIf(requires('postgresql'))(`${title}, in PostgreSQL`, () => {
    let postgres: TestPostgres | undefined;
    beforeAll(async () => {
      postgres = await TestPostgres.start();
    });
    afterAll(() => postgres?.stop());
    const create = async () => {
      if (!postgres) throw new Error('it has not been started');
      return await postgres.createDatabase();
    };
    tests({ kind: 'postgres', create, edit: queryAt });
  });
}
