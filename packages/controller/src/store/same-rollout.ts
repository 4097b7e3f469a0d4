import { type Kysely, sql, type Transaction } from 'kysely';
import { isPostgres } from './is-postgres.ts';
import { type NewRollout, SameRollout } from './recorded-rollout.ts';
import type { Tables } from './tables.ts';

/** @throws SameRollout. Two controllers that are asked for the same at one time come here one after the other. */
export async function refuseSame(trx: Transaction<Tables>, rollout: NewRollout, since: string): Promise<void> {
  if (isPostgres(trx)) await sql`select pg_advisory_xact_lock(hashtext(${rollout.planKey}))`.execute(trx);
  const same = await sameUnheard(trx, rollout, since);
  if (same) throw new SameRollout(same.operation_id);
}

/** The newest of a plan that runs, or has ended since `since` (ISO 8601) and was told to nobody. */
export async function sameUnheard(
  db: Kysely<Tables>,
  { planKey, linkName }: Pick<NewRollout, 'planKey' | 'linkName'>,
  since: string,
): Promise<{ operation_id: string; ended_at: string | null; owner: string | null } | undefined> {
  return await db
    .selectFrom('rollouts')
    .select(['operation_id', 'ended_at', 'owner'])
    .where('link_name', '=', linkName)
    .where('plan_key', '=', planKey)
    .where('answered_at', 'is', null)
    .where(({ or, eb }) => or([eb('ended_at', 'is', null), eb('ended_at', '>', since)]))
    .orderBy('operation_id', 'desc')
    .executeTakeFirst();
}
