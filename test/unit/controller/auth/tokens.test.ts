import { includesScope, SCOPES } from '@sampan/controller/auth/scopes.ts';
import { createTokenSecret, TOKEN_PATTERN } from '@sampan/controller/auth/token-secret.ts';
import { TokenUse } from '@sampan/controller/auth/token-use.ts';
import { Tokens } from '@sampan/controller/auth/tokens.ts';
import type { Write, WriteBehind } from '@sampan/controller/store/write-behind.ts';
import { describe, expect, it } from 'vitest';
import { onEachDatabase } from '../../../helpers/test-databases.ts';
import { testStore } from '../../../helpers/test-store.ts';

describe('a token', () => {
  it('is 160 random bits behind a prefix that scanners know', () => {
    const made = Array.from({ length: 200 }, createTokenSecret);
    for (const secret of made) expect(secret).toMatch(TOKEN_PATTERN);
    expect(new Set(made).size).toBe(200);
    // Each of the 32 characters carries five bits: all of the alphabet comes up.
    expect(new Set(made.flatMap((secret) => [...secret.slice(7)])).size).toBe(32);
  });
});

describe('scopes', () => {
  it('include nothing but themselves, and admin includes all', () => {
    const table = SCOPES.map((granted) => SCOPES.filter((needed) => includesScope([granted], needed)));
    expect(table).toEqual([['read'], ['deploy'], ['config-write'], ['read', 'deploy', 'config-write', 'admin']]);
    expect(includesScope([], 'read')).toBe(false);
  });
});

describe('the last use', () => {
  it('is written once a minute for each token', () => {
    const written: Write[] = [];
    const use = new TokenUse({ add: (write: Write) => void written.push(write) } as unknown as WriteBehind);
    const start = Date.parse('2026-11-22T10:00:00Z');
    for (const [id, ms] of [
      ['a', 0],
      ['a', 59_999],
      ['b', 1000],
      ['a', 60_000],
    ] as const)
      use.note(id, start + ms);
    expect(written).toEqual([
      { kind: 'token used', id: 'a', at: '2026-11-22T10:00:00.000Z' },
      { kind: 'token used', id: 'b', at: '2026-11-22T10:00:01.000Z' },
      { kind: 'token used', id: 'a', at: '2026-11-22T10:01:00.000Z' },
    ]);
  });
});

onEachDatabase('a token', (databases) => {
  it('is good until it expires, and unknown in any other spelling', async () => {
    const tokens = new Tokens((await testStore(await databases.create())).db);
    const { secret, token } = await tokens.create({ name: 'ci', scopes: ['read'], expiresInMs: 60_000 });
    expect(await tokens.present(secret)).toEqual({ kind: 'good', token });
    for (const other of [secret.toUpperCase(), ` ${secret}`, `${secret}a`, secret.slice(7), '']) {
      expect(await tokens.present(other)).toEqual({ kind: 'unknown' });
    }
    const short = await tokens.create({ name: 'short', scopes: ['read'], expiresInMs: 1 });
    await expect.poll(async () => (await tokens.present(short.secret)).kind).toBe('expired');
  });
});
