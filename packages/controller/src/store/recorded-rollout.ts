import { DeployError } from '@sampan/shared/errors.ts';
import type { Insertable, Selectable } from 'kysely';
import type { Fence, LockHolder, LockOrder } from './link-locks.ts';
import type { HostOutcomeTable, Tables } from './tables.ts';

/** A rollout as it is written down before anything is sent. `fileUrl` is empty where there is no artifact. */
export interface NewRollout {
  operationId: string;
  planKey: string;
  linkName: string;
  plan: string;
  fileUrl: string;
  projectName?: string;
  requestedBy?: string;
  /** Unique among all that are remembered. */
  idempotencyKey?: string | null;
}

/** What becomes of a rollout when others hold links that it needs: it is not begun; it waits for its turn; those hosts fail. */
export type OnHeld = 'refuse' | 'wait' | 'fail_hosts';

/** The locks that a rollout was given, and who has those that it was not. `fence` is undefined while it has to wait. */
export interface Locked {
  fence: Fence | undefined;
  held: ReadonlyMap<string, LockHolder>;
}

/** What one host came to: `OK` or a code, and the error as JSON. */
export interface RecordedOutcome {
  host: string;
  code: string;
  error: string | null;
}

/** A rollout of any time. `state` is empty for those of versions that had none. Times in milliseconds since the epoch. */
export interface RecordedRollout extends NewRollout {
  startedAtMs: number;
  /** Undefined: it has not ended. */
  endedAtMs: number | undefined;
  outcomes: readonly (RecordedOutcome & { endedAtMs: number })[];
  state: string;
  requestedBy: string;
  /** The number of the last fence that its orders were given under; undefined before it has its locks. */
  fence: number | undefined;
}

/** How a rollout is begun: with its line of the audit trail and the locks that it takes. */
export interface BeginOptions {
  audit?: Insertable<Tables['audit']>;
  locks?: { order: LockOrder; onHeld: OnHeld };
  /** Not while one of the same plan runs somewhere, or has ended since this time (ISO 8601) and was told to nobody. */
  unlessSameSince?: string;
}

/** What was to be begun is there already, since a moment ago: another controller was asked for the same. */
export class SameRollout extends Error {
  override readonly name = 'SameRollout';
  readonly operationId: string;

  constructor(operationId: string) {
    super(`${operationId} is the same rollout`);
    this.operationId = operationId;
  }
}

/** Which rollouts are listed, and from where on: those older than the one of the id `before`. */
export interface RolloutFilters {
  limit: number;
  before?: string | undefined;
  projectName?: string | undefined;
  /** Of these projects only. */
  projects?: readonly string[] | undefined;
  linkName?: string | undefined;
  state?: string | undefined;
}

/** What is told of a link that somebody else has. */
export function linkHeld({ project, version, operationId, since }: LockHolder): DeployError<'LINK_HELD'> {
  return new DeployError('LINK_HELD', { project, release: version, operationId, since });
}

/** Its first row. */
export function rowOf(rollout: NewRollout, startedAt: string): Insertable<Tables['rollouts']> {
  return {
    operation_id: rollout.operationId,
    plan_key: rollout.planKey,
    link_name: rollout.linkName,
    plan: rollout.plan,
    file_url: rollout.fileUrl,
    started_at: startedAt,
    state: 'queued',
    project_name: rollout.projectName ?? '',
    requested_by: rollout.requestedBy ?? '',
    idempotency_key: rollout.idempotencyKey ?? null,
  };
}

/** What its rows say. */
export function recordedOf(
  row: Selectable<Tables['rollouts']>,
  outcomes: readonly Selectable<HostOutcomeTable>[],
): RecordedRollout {
  return {
    operationId: row.operation_id,
    planKey: row.plan_key,
    linkName: row.link_name,
    plan: row.plan,
    fileUrl: row.file_url ?? '',
    state: row.state,
    requestedBy: row.requested_by,
    // PostgreSQL tells numbers of this size as text.
    fence: row.fence === null ? undefined : Number(row.fence),
    startedAtMs: Date.parse(row.started_at),
    endedAtMs: row.ended_at === null ? undefined : Date.parse(row.ended_at),
    outcomes: outcomes.map(({ host, code, error, ended_at }) => ({
      host,
      code,
      error,
      endedAtMs: Date.parse(ended_at),
    })),
  };
}
