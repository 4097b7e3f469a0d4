import { Audit } from '@sampan/controller/auth/audit.ts';
import { AuditTrail } from '@sampan/controller/auth/audit-trail.ts';
import { RefusalTrail } from '@sampan/controller/auth/refusal-trail.ts';
import { openDatabase } from '@sampan/controller/store/open-database.ts';
import { pruneAudit } from '@sampan/controller/store/prune-audit.ts';
import { sql } from 'kysely';
import { describe, expect, it, onTestFinished } from 'vitest';
import { onEachDatabase } from '../../../helpers/test-databases.ts';
import { testStore } from '../../../helpers/test-store.ts';

const DAY_MS = 24 * 3_600_000;
const never = new AbortController().signal;

describe('the audit trail', () => {
  it('that cannot be written keeps what it would tell of from beginning', async () => {
    const store = await testStore();
    await sql`pragma query_only = 1`.execute(store.db);
    await expect(new AuditTrail(store).begin({ who: 'a', action: 'init_deploy' })).rejects.toThrow(
      'STORE_UNWRITABLE {"reason":"attempt to write a readonly database"}',
    );
    await sql`pragma query_only = 0`.execute(store.db);
  });
});

describe('those who were not let in', () => {
  const refusal = (key: string, who = 'unknown') => ({ key, who, address: '192.0.2.1', details: { code: key } });

  it('are told of once each, then counted; and those beyond twenty kinds in one number', async () => {
    const store = await testStore();
    const trail = new RefusalTrail(store.later);
    for (let round = 0; round < 3; round += 1) {
      for (let kind = 0; kind < 25; kind += 1) trail.refused(refusal(`k${kind}`));
    }
    // Of somebody whose token is known there is always room to tell.
    trail.refused(refusal('expired', 'token ci'));
    await store.later.flush();
    const told = async () =>
      (await new Audit(store.db).list({ sinceMs: 0 })).map(({ who, details }) => [who, details?.code, details?.again]);
    const first = [...Array(20).keys()].map((kind) => ['unknown', `k${kind}`, undefined]);
    expect(await told()).toEqual([...first, ['token ci', 'expired', undefined]]);
    trail.close();
    await store.later.flush();
    const lines = await new Audit(store.db).list({ sinceMs: 0 });
    expect(lines).toHaveLength(42);
    expect(lines.slice(21, 41).map(({ details }) => details?.again)).toEqual(Array(20).fill(2));
    expect(lines[41]).toMatchObject({ who: 'others', action: 'access', outcome: 'refused', details: { times: 15 } });
  });

  it('are told of anew when the window is over', async () => {
    const store = await testStore();
    const trail = new RefusalTrail(store.later, 10);
    trail.refused(refusal('k'));
    await expect
      .poll(async () => {
        trail.refused(refusal('k'));
        await store.later.flush();
        const lines = await new Audit(store.db).list({ sinceMs: 0 });
        return lines.filter(({ details }) => details?.again === undefined).length;
      })
      .toBeGreaterThan(1);
    trail.close();
  });
});

onEachDatabase('the audit trail', (databases) => {
  it('can only be added to, whoever has the database open', async () => {
    const location = await databases.create();
    const store = await testStore(location);
    await new Audit(store.db).append({ who: 'token ci', action: 'deploy', outcome: 'begun' });
    const refused: [string, string][] = [
      ["update audit set who = 'nobody'", 'the audit trail is never changed'],
      ['delete from audit', 'the audit trail is kept'],
    ];
    if (databases.kind === 'sqlite') {
      const replace = "replace into audit (id, at, who, action, outcome) values (1, '', '', '', '')";
      refused.push([replace, 'the audit trail is never changed']);
    }
    for (const [statement, words] of refused) {
      await expect(databases.edit(location, statement)).rejects.toThrow(words);
    }
    const [line] = await new Audit(store.db).list({ sinceMs: 0 });
    expect(line).toMatchObject({ who: 'token ci', action: 'deploy', outcome: 'begun' });
  });

  it('loses what is older than it is kept, and nothing else', async () => {
    const db = await openDatabase(await databases.create());
    onTestFinished(() => db.destroy());
    const lines = Array.from({ length: 1200 }, (_, age) => ({
      at: new Date(Date.now() - age * DAY_MS).toISOString(),
      who: `day ${age}`,
      action: 'deploy',
      outcome: 'OK',
    }));
    await db.insertInto('audit').values(lines).execute();
    expect(await pruneAudit(db, { keepMs: 400.5 * DAY_MS }, never)).toBe(799);
    const kept = await new Audit(db).list({ sinceMs: 0 });
    expect([kept.length, kept[0]?.who, kept.at(-1)?.who]).toEqual([401, 'day 400', 'day 0']);
    expect(await pruneAudit(db, { keepMs: 400.5 * DAY_MS }, never)).toBe(0);
  });
});
