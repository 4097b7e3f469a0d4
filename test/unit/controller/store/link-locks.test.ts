import { LinkLocks, type LockOrder } from '@sampan/controller/store/link-locks.ts';
import { openDatabase } from '@sampan/controller/store/open-database.ts';
import type { Tables } from '@sampan/controller/store/tables.ts';
import type { Kysely } from 'kysely';
import { expect, it, onTestFinished } from 'vitest';
import { onEachDatabase } from '../../../helpers/test-databases.ts';

const order = (operationId: string, hosts: readonly string[]): LockOrder => ({
  operationId,
  project: 'shop',
  version: `of ${operationId}`,
  link: 'web',
  hosts,
});
const names = (count: number) => Array.from({ length: count }, (_, n) => `10.0.${n >> 8}.${n & 255}:7410`);

onEachDatabase('locks', (databases) => {
  async function open(): Promise<{ db: Kysely<Tables>; locks: LinkLocks }> {
    const db = await openDatabase(await databases.create());
    onTestFinished(() => db.destroy());
    return { db, locks: new LinkLocks(db) };
  }

  it('are taken of ten thousand hosts at once, and who has the others is told of each', async () => {
    const { locks } = await open();
    const hosts = names(10_000);
    const own = hosts.filter((_host, n) => n % 1_000 === 7);
    expect(await locks.take(order('first', own))).toEqual(new Map());
    const held = await locks.take(order('second', hosts));
    expect([...held.keys()].sort()).toEqual([...own].sort());
    expect(new Set([...held.values()].map(({ operationId }) => operationId))).toEqual(new Set(['first']));
    // Again: whoever has them keeps them.
    expect((await locks.take(order('second', hosts))).size).toBe(own.length);
    await locks.letGo('first');
    expect(await locks.take(order('second', hosts))).toEqual(new Map());
  });

  it('that nobody has renewed in time are free, unless nobody could have', async () => {
    const { db, locks } = await open();
    await locks.take(order('first', names(3)));
    await db.updateTable('link_locks').set({ expires_at: '2020-01-01T00:00:00.000Z' }).execute();
    expect((await locks.take(order('second', names(3)), { canJudge: false })).size).toBe(3);
    expect(await locks.take(order('second', names(3)))).toEqual(new Map());
  });

  it("are let go of while another takes them, and then are the other's", async () => {
    const { locks } = await open();
    for (let round = 0; round < 20; round += 1) {
      await locks.take(order('first', names(50)));
      const [held] = await Promise.all([locks.take(order('second', names(50))), locks.letGo('first')]);
      const { size } = await locks.holders({ link: 'web', hosts: names(50) });
      expect(size + held.size).toBeGreaterThanOrEqual(50);
      await locks.letGo('second');
    }
  });

  it('have a fence that is higher than all before, though the clock goes back', async () => {
    const { db, locks } = await open();
    const ahead = Date.now() + 3_600_000;
    await db.updateTable('database_identity').set({ fence: ahead }).execute();
    const { database, number } = await locks.nextFence();
    expect(number).toBe(ahead + 1);
    expect(await locks.raiseFence({ database, number: ahead })).toBe(false);
    expect(await locks.raiseFence({ database, number: ahead + 10 })).toBe(true);
    expect((await locks.nextFence()).number).toBe(ahead + 11);
  });
});
