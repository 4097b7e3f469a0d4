import { DatabaseSync } from 'node:sqlite';
import { NodeSqliteDialect } from '@sampan/controller/store/node-sqlite-dialect.ts';
import { Kysely, sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';

interface Rows {
  rows: { n: number; more?: string };
}

let db: Kysely<Rows>;
beforeEach(async () => {
  db = new Kysely<Rows>({ dialect: new NodeSqliteDialect(new DatabaseSync(':memory:')) });
  await sql`create table rows (n integer primary key)`.execute(db);
});
afterEach(() => db.destroy());

const all = () => db.selectFrom('rows').selectAll().orderBy('n').execute();

it('see the columns that a table has now', async () => {
  await db.insertInto('rows').values({ n: 1 }).execute();
  expect(await all()).toEqual([{ n: 1 }]);
  await sql`alter table rows add column more text default 'x'`.execute(db);
  expect(await all()).toEqual([{ n: 1, more: 'x' }]);
});

it('may fail, and are run again all the same', async () => {
  const add = (n: number) => db.insertInto('rows').values({ n }).execute();
  await add(1);
  await expect(add(1)).rejects.toThrow('UNIQUE');
  await add(2);
  expect(await all()).toEqual([{ n: 1 }, { n: 2 }]);
});

it('are right when there are more of them than are kept', async () => {
  for (let round = 0; round < 2; round += 1) {
    for (let n = 0; n < 250; n += 1) {
      const { rows } = await sql<{ is: number }>`select ${sql.lit(n)} as "is"`.execute(db);
      expect(rows).toEqual([{ is: n }]);
    }
  }
});

it('may be read one after the other while others run', async () => {
  for (let n = 0; n < 5; n += 1) await db.insertInto('rows').values({ n }).execute();
  const seen: number[] = [];
  for await (const { n } of db.selectFrom('rows').selectAll().orderBy('n').stream()) {
    seen.push(n);
    expect(seen.length).toBe(n + 1);
  }
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});
