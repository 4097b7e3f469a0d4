import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '@sampan/controller/store/open-database.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { testStore, unanswered } from '../../../helpers/test-store.ts';

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** Why the database cannot be opened, without what differs from run to run. */
async function refusal(file: string): Promise<string> {
  const error = await openDatabase(file).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as Error).message.replace(file, 'FILE');
}

describe('the database', () => {
  it('is made with its directory, and can be read by its owner alone', async () => {
    const umask = process.umask(0);
    onTestFinished(() => {
      process.umask(umask);
    });
    const dir = join(tempDir(), 'var/controller');
    await testStore(join(dir, 'sampan.db'));
    const files = ['sampan.db', 'sampan.db-shm', 'sampan.db-wal', 'sampan.db.lock'];
    expect(readdirSync(dir).sort()).toEqual(files);
    expect([dir, ...files.map((file) => join(dir, file))].map(mode)).toEqual(['700', '600', '600', '600', '600']);
  });

  it('leaves the mode of what was there before as it is', async () => {
    const dir = tempDir();
    const file = join(dir, 'sampan.db');
    writeFileSync(file, '');
    chmodSync(file, 0o640);
    await testStore(file);
    expect(mode(file)).toBe('640');
  });

  it('belongs to one controller, until that lets go of it', async () => {
    const file = join(tempDir(), 'sampan.db');
    const first = await testStore(file);
    const inUse =
      'database: sqlite:FILE cannot be used: another controller uses it, and a file belongs to one; PostgreSQL takes any number (database: postgres://…)';
    expect(await refusal(file)).toBe(inUse);
    expect(await refusal(file)).toBe(inUse);
    await first.close();
    const second = await testStore(file);
    expect(await second.fault()).toBeUndefined();
  });

  it('is whole in one file once it is closed', async () => {
    const dir = tempDir();
    const store = await testStore(join(dir, 'sampan.db'));
    await store.close();
    expect(readdirSync(dir).sort()).toEqual(['sampan.db', 'sampan.db.lock']);
    expect(statSync(join(dir, 'sampan.db.lock')).size).toBe(0);
  });

  it('is refused in words when it is none', async () => {
    const dir = tempDir();
    const text = join(dir, 'text.db');
    writeFileSync(text, 'not a database, '.repeat(100));
    expect(await refusal(text)).toBe('database: sqlite:FILE cannot be used: file is not a database');
    const directory = join(dir, 'directory.db');
    mkdirSync(directory);
    expect(await refusal(directory)).toBe('database: sqlite:FILE cannot be used: unable to open database file');
    expect(await refusal(join(text, 'sampan.db'))).toBe(
      `database: sqlite:FILE cannot be used: EEXIST: file already exists, mkdir '${text}'`,
    );
  });

  it('is left as it was by a migration that does not come to its end', async () => {
    const file = join(tempDir(), 'sampan.db');
    const strange = new DatabaseSync(file);
    strange.exec('create table host_outcomes (x)');
    strange.close();
    expect(await refusal(file)).toBe('database: sqlite:FILE cannot be used: table "host_outcomes" already exists');
    const mended = new DatabaseSync(file);
    mended.exec('drop table host_outcomes');
    mended.close();
    const { db, rollouts } = await testStore(file);
    expect(await unanswered(db, rollouts)).toEqual([]);
  });

  it('is refused in words when a newer version wrote it', async () => {
    const file = join(tempDir(), 'sampan.db');
    await (await testStore(file)).close();
    const newer = new DatabaseSync(file);
    newer.exec("insert into kysely_migration (name, timestamp) values ('999-locks', '2030-01-01T00:00:00.000Z')");
    newer.close();
    const words = 'database: sqlite:FILE cannot be used: a newer version wrote it (999-locks is not known to this one)';
    expect(await refusal(file)).toBe(words);
    // It is let go of: whoever has the newer version can open it.
    expect(await refusal(file)).toBe(words);
  });
});
