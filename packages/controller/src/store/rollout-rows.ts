import type { Kysely, Selectable } from 'kysely';
import type { RolloutFilters } from './recorded-rollout.ts';
import type { Tables } from './tables.ts';

/** Newest first. */
export async function rolloutRows(
  db: Kysely<Tables>,
  { limit, before, ...filters }: RolloutFilters,
): Promise<Selectable<Tables['rollouts']>[]> {
  let query = db.selectFrom('rollouts').selectAll();
  if (filters.projectName !== undefined) query = query.where('project_name', '=', filters.projectName);
  if (filters.projects !== undefined) query = query.where('project_name', 'in', [...filters.projects, '']);
  if (filters.linkName !== undefined) query = query.where('link_name', '=', filters.linkName);
  if (filters.state !== undefined) query = query.where('state', '=', filters.state);
  if (before !== undefined) query = query.where('operation_id', '<', before);
  return await query.orderBy('operation_id', 'desc').limit(limit).execute();
}
