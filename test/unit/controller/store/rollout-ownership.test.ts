import { openDatabase } from '@sampan/controller/store/open-database.ts';
import { RolloutTakenOver } from '@sampan/controller/store/rollout-ownership.ts';
import type { Tables } from '@sampan/controller/store/tables.ts';
import type { Kysely, Transaction } from 'kysely';
import { expect, it, onTestFinished } from 'vitest';
import { onEachDatabase } from '../../../helpers/test-databases.ts';
import { testRecords } from '../../../helpers/test-store.ts';

const rollout = { operationId: 'op-1', planKey: 'k', linkName: 'web', plan: '{}', fileUrl: '' };
const event = (seq: number, by: string) => ({ seq, at: '2026-11-29T00:00:00.000Z', kind: 'rollout', by });

onEachDatabase('a rollout', (databases) => {
  async function open() {
    const db = await openDatabase(await databases.create());
    onTestFinished(() => db.destroy());
    const one = await testRecords(db);
    return { db, one, another: () => testRecords(db) };
  }

  const leaves = (db: Kysely<Tables>, id: string) => db.deleteFrom('controllers').where('id', '=', id).execute();

  it("is nobody else's while its controller lives, and one other's when that has gone", async () => {
    const { db, one, another } = await open();
    const others = databases.kind === 'postgres' ? [await another(), await another()] : [await another()];
    await one.records.begin(rollout);
    if (databases.kind === 'postgres') {
      expect(await others[0]!.records.ownership.orphans()).toEqual([]);
      expect(await others[0]!.records.ownership.take('op-1')).toBe(false);
    }
    await leaves(db, one.records.ownership.owner);
    expect(await others[0]!.records.ownership.orphans()).toEqual(['op-1']);
    const taken = await Promise.all(others.map(({ records }) => records.ownership.take('op-1')));
    expect(taken.filter(Boolean)).toHaveLength(1);
  });

  it('takes nothing more of what its former controller had still to write, who learns of it', async () => {
    const { db, one, another } = await open();
    await one.records.begin(rollout);
    await one.records.happened('op-1', event(1, 'one'), undefined);
    const other = await another();
    await leaves(db, one.records.ownership.owner);
    expect(await other.records.ownership.take('op-1')).toBe(true);
    const lost = one.records.ownership.lost('op-1');
    void one.records.happened('op-1', event(2, 'one'), 'failed');
    one.records.hostEnded('op-1', { host: 'a', code: 'INTERNAL', error: '{}' });
    await one.records.ended('op-1', { outcome: 'failed', details: {} });
    await other.records.happened('op-1', event(2, 'other'), undefined);
    expect(lost.reason).toBeInstanceOf(RolloutTakenOver);
    const found = await other.records.find({ operationId: 'op-1' });
    expect(found).toMatchObject({ endedAtMs: undefined, outcomes: [], state: 'queued' });
    const events = await other.records.events.read('op-1', { after: 0, limit: 10 });
    expect(events.map(({ seq, by }) => [seq, by])).toEqual([
      [1, 'one'],
      [2, 'other'],
    ]);
  });

  it('gives no locks to its former controller, which would be obeyed before the one that carries it out', async () => {
    const { db, one, another } = await open();
    const order = { operationId: 'op-1', project: 'p', version: 'v', link: 'web', hosts: ['h'] };
    await one.records.begin(rollout, { locks: { order, onHeld: 'wait' } });
    const other = await another();
    await leaves(db, one.records.ownership.owner);
    await other.records.ownership.take('op-1');
    const { fence } = await other.records.lockAgain(order);
    await expect(one.records.lockAgain(order)).rejects.toBeInstanceOf(RolloutTakenOver);
    await expect(one.records.lockInTurn(order)).rejects.toBeInstanceOf(RolloutTakenOver);
    expect((await other.records.find({ operationId: 'op-1' }))?.fence).toBe(fence?.number);
  });

  it('that is being begun is not taken for one that another carries out', async () => {
    const { db, one } = await open();
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const { records } = await testRecords(
      before(db, async () => {
        reached.resolve();
        await held.promise;
      }),
    );
    const begun = records.begin(rollout);
    await reached.promise;
    await records.ownership.verify();
    held.resolve();
    await begun;
    expect(records.ownership.lost('op-1').aborted).toBe(false);
    await records.ownership.verify();
    expect(records.ownership.lost('op-1').aborted).toBe(false);
    expect(one.records.ownership.of('op-1')).toBeUndefined();
  });

  it("that its controller leaves is anybody's at once", async () => {
    const { one } = await open();
    await one.records.begin(rollout);
    one.records.left('op-1');
    await one.later.flush();
    expect(one.records.ownership.of('op-1')).toBeUndefined();
    expect(await one.records.ownership.orphans()).toEqual(['op-1']);
  });

  it('whose begin was taken for failed, and that another carries out since, is left to that one', async () => {
    const { db, another } = await open();
    const { later, records } = await testRecords(losingAnswers(db));
    await expect(records.begin(rollout)).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
    const other = await another();
    await leaves(db, records.ownership.owner);
    expect(await other.records.ownership.take('op-1')).toBe(true);
    await later.flush();
    expect(await other.records.find({ operationId: 'op-1' })).toBeDefined();
  });

  it('that its controller has forgotten, since a failover took its end back, is found by that controller', async () => {
    const { db, one } = await open();
    await one.records.begin(rollout);
    await one.records.ended('op-1');
    expect(await one.records.ownership.orphans()).toEqual([]);
    await db.updateTable('rollouts').set({ ended_at: null }).execute();
    expect(await one.records.ownership.orphans()).toEqual(['op-1']);
  });

  it("whose begin was written, and the answer to that lost, is not begun: it is nobody's, and then it is gone", async () => {
    const { db } = await open();
    const { later, records } = await testRecords(losingAnswers(db));
    const order = { operationId: 'op-1', project: 'p', version: 'v', link: 'web', hosts: ['h'] };
    await expect(records.begin(rollout, { locks: { order, onHeld: 'refuse' } })).rejects.toMatchObject({
      code: 'STORE_UNWRITABLE',
      params: { reason: 'Connection terminated unexpectedly' },
    });
    expect(await db.selectFrom('rollouts').select('operation_id').execute()).toHaveLength(1);
    expect(await records.ownership.orphans()).toEqual([]);
    await later.flush();
    expect(await db.selectFrom('rollouts').select('operation_id').execute()).toEqual([]);
    expect(await db.selectFrom('link_locks').select('host').execute()).toEqual([]);
  });
});

/** Does something first in each transaction. */
function before(db: Kysely<Tables>, first: () => Promise<void>): Kysely<Tables> {
  return withTransactions(db, async (work) => {
    await first();
    return await db.transaction().execute(work);
  });
}

/** Commits the first transaction, and says that the connection broke. */
function losingAnswers(db: Kysely<Tables>): Kysely<Tables> {
  let hasLost = false;
  return withTransactions(db, async (work) => {
    const done = await db.transaction().execute(work);
    if (hasLost) return done;
    hasLost = true;
    throw new Error('Connection terminated unexpectedly');
  });
}

type Execute = (work: (trx: Transaction<Tables>) => Promise<unknown>) => Promise<unknown>;

function withTransactions(db: Kysely<Tables>, execute: Execute): Kysely<Tables> {
  return new Proxy(db, {
    get(target, key) {
      if (key === 'transaction') return () => ({ execute });
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
