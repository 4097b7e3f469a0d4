import { chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { takeControllerLock } from '@sampan/controller/store/controller-lock.ts';
import { openBeside, openDatabase } from '@sampan/controller/store/open-database.ts';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { testRecords, testStore, unanswered } from '../../../helpers/test-store.ts';

const row = (id: number) => ({ id, written_at: '2026-11-22T10:00:00.000Z' });

describe('a command', () => {
  it('reads and writes the database beside the controller that has it', async () => {
    const file = join(tempDir(), 'sampan.db');
    const store = await testStore(file);
    const db = await openBeside(file);
    onTestFinished(() => db.destroy());
    await db.insertInto('store_check').values(row(2)).execute();
    await store.db.insertInto('store_check').values(row(3)).execute();
    expect(await db.selectFrom('store_check').select('id').orderBy('id').execute()).toEqual([{ id: 2 }, { id: 3 }]);
    expect(await store.fault()).toBeUndefined();
  });

  it('makes the database where there is none, and keeps no controller from it', async () => {
    const file = join(tempDir(), 'var/sampan.db');
    const db = await openBeside(file);
    onTestFinished(() => db.destroy());
    const store = await testStore(file);
    expect(await unanswered(store.db, store.rollouts)).toEqual([]);
  });

  it('does not change the tables under a controller of an older version', async () => {
    const file = join(tempDir(), 'sampan.db');
    const lock = takeControllerLock(file, 0);
    onTestFinished(() => lock?.release());
    const old = new DatabaseSync(file);
    old.exec('pragma journal_mode = wal; create table rollouts (x)');
    old.close();
    await expect(openBeside(file)).rejects.toThrow(
      `database: sqlite:${file} cannot be used: the controller that runs is of an older version: restart it first`,
    );
    const after = new DatabaseSync(file);
    expect(after.prepare("select name from sqlite_master where name = 'tokens'").all()).toEqual([]);
    after.close();
  }, 20_000);

  it.runIf(process.getuid?.() === 0)('run by root leaves what it makes to whom the directory belongs', async () => {
    const dir = join(tempDir(), 'state');
    mkdirSync(dir);
    chownSync(dir, 1234, 4321);
    const db = await openBeside(join(dir, 'sampan.db'));
    onTestFinished(() => db.destroy());
    const owners = readdirSync(dir).map((name) => [name, statSync(join(dir, name)).uid, statSync(join(dir, name)).gid]);
    expect(owners.sort()).toEqual(
      ['sampan.db', 'sampan.db-shm', 'sampan.db-wal', 'sampan.db.lock'].map((name) => [name, 1234, 4321]),
    );
  });
});

describe('a writer that does not let go', () => {
  it('makes what is written after the fact wait, and what must be written first fail, in words', async () => {
    const file = join(tempDir(), 'sampan.db');
    const messages: unknown[] = [];
    const log = pino({}, { write: (line: string) => void messages.push((JSON.parse(line) as { msg: string }).msg) });
    const db = await openDatabase(file);
    onTestFinished(() => db.destroy());
    const { later, records: rollouts } = await testRecords(db, log);
    const rollout = { operationId: 'op-1', planKey: 'k', linkName: 'web', plan: '{}', fileUrl: '' };
    await rollouts.begin(rollout);
    const stuck = new DatabaseSync(file);
    stuck.exec('begin immediate');
    rollouts.hostEnded('op-1', { host: 'a', code: 'OK', error: null });
    await later.flush();
    expect(messages).toEqual(['the database cannot be written']);
    await expect(rollouts.begin({ ...rollout, operationId: 'op-2' })).rejects.toThrow(
      'STORE_UNWRITABLE {"reason":"database is locked"}',
    );
    stuck.exec('rollback');
    stuck.close();
    await later.flush();
    expect(messages).toEqual(['the database cannot be written', 'the database can be written again']);
    const [left] = await unanswered(db, rollouts);
    expect([left?.operationId, left?.outcomes.map(({ host }) => host)]).toEqual(['op-1', ['a']]);
  });
});

it('the lock is let go of with the database, and not before', async () => {
  const file = join(tempDir(), 'sampan.db');
  const db = await openDatabase(file);
  expect(takeControllerLock(file, 0)).toBeUndefined();
  await db.destroy();
  const lock = takeControllerLock(file, 0);
  expect(lock).toBeDefined();
  lock?.release();
  lock?.release();
});
