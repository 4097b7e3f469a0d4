import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '@sampan/controller/store/open-database.ts';
import { pruneRollouts } from '@sampan/controller/store/prune-rollouts.ts';
import type { NewRollout } from '@sampan/controller/store/recorded-rollout.ts';
import { type KyselyPlugin, sql } from 'kysely';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../helpers/silent-log.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { onEachDatabase } from '../../../helpers/test-databases.ts';
import { testRecords, testStore, unanswered } from '../../../helpers/test-store.ts';

const DAY_MS = 24 * 3_600_000;
const never = new AbortController().signal;

function rollout(operationId: string, more: Partial<NewRollout> = {}): NewRollout {
  const fileUrl = 'http://user:s3cr3t@origin/web-1.tar.gz?signature=s3cr3t';
  return { operationId, planKey: `key of ${operationId}`, linkName: 'web', plan: '{"a":1}', fileUrl, ...more };
}

const failed = { host: 'b', code: 'DISK_FULL', error: '{"code":"DISK_FULL","params":{"path":"/opt"}}' };
const ids = (rollouts: readonly { operationId: string }[]) => rollouts.map(({ operationId }) => operationId);

/** The parts of a store, whose database a test can make fail. */
async function openParts(file = join(tempDir(), 'sampan.db'), log = silentLog) {
  const db = await openDatabase(file);
  onTestFinished(() => db.destroy());
  const isReadOnly = async (value: boolean) => {
    await sql`pragma query_only = ${sql.lit(value ? 1 : 0)}`.execute(db);
  };
  return { db, ...(await testRecords(db, log)), isReadOnly };
}

/** Holds back what one query has found of rollouts, so that others overtake it. */
function answerHeldBack() {
  const [read, arrives] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isNext = false;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (isNext && result.rows.some((row) => 'ended_at' in row)) {
        isNext = false;
        read.resolve();
        await arrives.promise;
      }
      return result;
    },
  };
  const holdNext = () => {
    isNext = true;
  };
  return { plugin, holdNext, read: read.promise, letGo: () => arrives.resolve() };
}

onEachDatabase('records', (databases) => {
  describe('a rollout that was begun', () => {
    it('is found by whoever opens the database next, with the hosts that had ended', async () => {
      const file = await databases.create();
      const first = await testStore(file);
      const startedAtMs = Date.now();
      await first.rollouts.begin(rollout('op-1'));
      first.rollouts.hostEnded('op-1', { host: 'a', code: 'OK', error: null });
      first.rollouts.hostEnded('op-1', failed);
      await first.close();
      const { db, rollouts } = await testStore(file);
      const found = await unanswered(db, rollouts);
      const aMoment = expect.toSatisfy((ms: number) => ms >= startedAtMs && ms <= Date.now());
      expect(found).toEqual([
        {
          ...rollout('op-1'),
          state: 'queued',
          requestedBy: '',
          startedAtMs: aMoment,
          endedAtMs: undefined,
          outcomes: [
            { host: 'a', code: 'OK', error: null, endedAtMs: aMoment },
            { ...failed, endedAtMs: aMoment },
          ],
        },
      ]);
    });

    it('is listed with its end until somebody was told', async () => {
      const { db, rollouts } = await testStore(await databases.create());
      await rollouts.begin(rollout('op-1'));
      await rollouts.ended('op-1');
      const [ended] = await unanswered(db, rollouts);
      expect(ended?.endedAtMs).toBeTypeOf('number');
      rollouts.answered('op-1');
      await rollouts.written();
      expect(await unanswered(db, rollouts)).toEqual([]);
    });

    it('is told to nobody who comes once somebody was told, though that is written down while they look', async () => {
      const db = await openDatabase(await databases.create());
      onTestFinished(() => db.destroy());
      const answer = answerHeldBack();
      const { records } = await testRecords(db.withPlugin(answer.plugin));
      await records.begin(rollout('op-1'));
      await records.ended('op-1');
      records.tells('op-1');
      answer.holdNext();
      const found = records.unheard(rollout('op-1'), new Date(0).toISOString());
      await answer.read;
      records.answered('op-1');
      await records.written();
      answer.letGo();
      expect(await found).toBeUndefined();
    });

    it('takes with it the untold ends of other rollouts of its link, and of no other', async () => {
      const { db, rollouts } = await testStore(await databases.create());
      await rollouts.begin(rollout('ended'));
      await rollouts.begin(rollout('of another link', { linkName: 'api' }));
      await rollouts.ended('ended');
      await rollouts.ended('of another link');
      await rollouts.begin(rollout('running'));
      expect(ids(await unanswered(db, rollouts))).toEqual(['of another link', 'running']);
      await rollouts.begin(rollout('newest'));
      expect(ids(await unanswered(db, rollouts))).toEqual(['of another link', 'running', 'newest']);
    });
  });

  it('outcomes of ten thousand hosts are written, and read back', async () => {
    const { db, rollouts } = await testStore(await databases.create());
    await rollouts.begin(rollout('op-1'));
    for (let host = 0; host < 10_000; host += 1) rollouts.hostEnded('op-1', { ...failed, host: `host-${host}` });
    await rollouts.ended('op-1');
    const [found] = await unanswered(db, rollouts);
    expect(new Set(found?.outcomes.map(({ host }) => host)).size).toBe(10_000);
  });

  describe('what is old', () => {
    it('goes with its outcomes 30 days after its end, but nothing that runs', async () => {
      const file = await databases.create();
      const store = await testStore(file);
      for (const id of ['old', 'young', 'old but running']) {
        await store.rollouts.begin(rollout(id, { linkName: id }));
        store.rollouts.hostEnded(id, failed);
      }
      for (const id of ['old', 'young']) await store.rollouts.ended(id);
      await store.close();
      const at = (ageMs: number) => new Date(Date.now() - ageMs).toISOString();
      await databases.edit(
        file,
        `update rollouts set started_at = '${at(40 * DAY_MS)}' where operation_id like 'old%'`,
        `update rollouts set ended_at = '${at(30 * DAY_MS + 60_000)}' where operation_id = 'old'`,
        `update rollouts set ended_at = '${at(30 * DAY_MS - 60_000)}' where operation_id = 'young'`,
      );
      const { db } = await openParts(file);
      expect(await pruneRollouts(db, never)).toBe(1);
      const left = await db.selectFrom('rollouts').select('operation_id as operationId').execute();
      expect(ids(left).sort()).toEqual(['old but running', 'young']);
      expect(await db.selectFrom('host_outcomes').select('operation_id').execute()).toHaveLength(2);
    });

    it('goes, the oldest first, beyond the number that is kept', async () => {
      const { db, records } = await openParts(await databases.create());
      await records.begin(rollout('running'));
      for (let n = 0; n < 5; n += 1) {
        await records.begin(rollout(`op-${n}`, { linkName: `${n}` }));
        const change = { ended_at: new Date(Date.now() - DAY_MS * (5 - n)).toISOString() };
        await db.updateTable('rollouts').set(change).where('operation_id', '=', `op-${n}`).execute();
      }
      expect(await pruneRollouts(db, never, { keep: 2 })).toBe(3);
      expect(ids(await unanswered(db, records)).sort()).toEqual(['op-3', 'op-4', 'running']);
    });

    it('is deleted when the database is opened', async () => {
      const file = await databases.create();
      const store = await testStore(file);
      await store.rollouts.begin(rollout('old'));
      await store.rollouts.ended('old');
      await store.close();
      await databases.edit(file, "update rollouts set ended_at = '2020-01-01T00:00:00.000Z'");
      const again = await testStore(file);
      await expect.poll(() => unanswered(again.db, again.rollouts)).toEqual([]);
    });
  });
});

describe('a rollout in a file', () => {
  it('leaves nothing of its URL on the disk once it has ended', async () => {
    const dir = tempDir();
    const store = await testStore(join(dir, 'sampan.db'));
    const onDisk = () =>
      Buffer.concat(readdirSync(dir).map((name) => readFileSync(join(dir, name)))).toString('latin1');
    await store.rollouts.begin(rollout('op-1', { fileUrl: `http://origin/?${'s3cr3t'.repeat(1000)}` }));
    expect(onDisk()).toContain('s3cr3t');
    await store.rollouts.ended('op-1');
    expect(await unanswered(store.db, store.rollouts)).toMatchObject([{ operationId: 'op-1', fileUrl: '' }]);
    await store.close();
    expect(onDisk()).toContain('op-1');
    expect(onDisk()).not.toContain('s3cr3t');
  });
});

describe('a database that takes no write', () => {
  it('refuses what is new, and takes it again when it can', async () => {
    const { db, records, isReadOnly } = await openParts();
    await isReadOnly(true);
    await expect(records.begin(rollout('op-1'))).rejects.toMatchObject({
      code: 'STORE_UNWRITABLE',
      params: { reason: 'attempt to write a readonly database' },
    });
    await isReadOnly(false);
    await records.begin(rollout('op-2'));
    expect(ids(await unanswered(db, records))).toEqual(['op-2']);
  });

  it('gets what came meanwhile when it takes writes again, and the log says both once', async () => {
    const lines: string[] = [];
    const log = pino(
      { level: 'info' },
      { write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg) },
    );
    const { db, records, later, isReadOnly } = await openParts(undefined, log);
    await records.begin(rollout('op-1'));
    await isReadOnly(true);
    records.hostEnded('op-1', failed);
    await records.ended('op-1');
    await later.flush();
    expect(await unanswered(db, records)).toMatchObject([{ endedAtMs: undefined, outcomes: [] }]);
    await isReadOnly(false);
    await later.flush();
    expect(await unanswered(db, records)).toMatchObject([{ endedAtMs: expect.any(Number), outcomes: [failed] }]);
    expect(lines).toEqual(['the database cannot be written', 'the database can be written again']);
  });
});
