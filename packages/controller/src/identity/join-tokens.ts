import { DeployError } from '@sampan/shared/errors.ts';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import { hashToken, randomSecret } from '../auth/token-secret.ts';
import type { Tables } from '../store/tables.ts';
import type { AgentNames } from './certificate-records.ts';

/** The rights to join that were given out, in the database. Their secrets are not there, only hashes. */
export class JoinTokens {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** Makes the right to join once, as this host, within `ttlMs`; returns its secret, which is kept nowhere. */
  async create({ agent, aliases }: Pick<AgentNames, 'agent' | 'aliases'>, ttlMs: number): Promise<string> {
    const secret = randomSecret();
    const now = Date.now();
    await this.#db
      .insertInto('join_tokens')
      .values({
        hash: hashToken(secret),
        agent,
        aliases: JSON.stringify(aliases),
        created_at: new Date(now).toISOString(),
        expires_at: new Date(now + ttlMs).toISOString(),
        used_at: null,
      })
      .execute();
    return secret;
  }

  /**
   * Uses the right up, and says for which host it was. On a transaction, it is used up only if that goes through.
   * @throws DeployError JOIN_REFUSED: there is no such token, or no more.
   */
  async redeem(secret: string): Promise<Pick<AgentNames, 'agent' | 'aliases'>> {
    const hash = hashToken(secret);
    const row = await this.#db.selectFrom('join_tokens').selectAll().where('hash', '=', hash).executeTakeFirst();
    if (!row) throw new DeployError('JOIN_REFUSED', { fault: 'unknown' });
    if (row.used_at !== null) throw new DeployError('JOIN_REFUSED', { fault: 'used' });
    const now = new Date().toISOString();
    if (row.expires_at <= now) throw new DeployError('JOIN_REFUSED', { fault: 'expired' });
    const { numUpdatedRows } = await this.#db
      .updateTable('join_tokens')
      .set({ used_at: now })
      .where('hash', '=', hash)
      .where('used_at', 'is', null)
      .executeTakeFirst();
    // Of two that come at once one is first.
    if (numUpdatedRows !== 1n) throw new DeployError('JOIN_REFUSED', { fault: 'used' });
    return { agent: row.agent, aliases: names.parse(JSON.parse(row.aliases)) };
  }
}

const names = z.array(z.string());
