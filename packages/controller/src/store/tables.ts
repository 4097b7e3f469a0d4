import type { ColumnType, Generated } from 'kysely';

/**
 * The tables, as the migrations leave them. Only texts and numbers: SQLite takes neither booleans nor dates. Times are ISO
 * 8601 in UTC, which sort as they are.
 */
export interface Tables {
  controllers: ControllerTable;
  rollouts: RolloutTable;
  host_outcomes: HostOutcomeTable;
  rollout_events: RolloutEventTable;
  rollout_requests: RolloutRequestTable;
  link_locks: LinkLockTable;
  /** One row. */
  database_identity: DatabaseIdentityTable;
  store_check: { id: number; written_at: string };
  tokens: TokenTable;
  audit: AuditTable;
  /** One row: what is older in `audit` may be deleted. */
  audit_horizon: { id: number; kept_since: string };
  certificates: CertificateTable;
  join_tokens: JoinTokenTable;
}

/** A controller that uses this database. One that does not renew its row in time has died; times are the database's own. */
interface ControllerTable {
  id: string;
  joined_at: string;
  expires_at: string;
}

/** A deploy or rollback: what was asked for, under the operation id that every agent knows it by. */
interface RolloutTable {
  operation_id: string;
  /** Equal for requests that mean the same. */
  plan_key: string;
  link_name: string;
  /** JSON, without what may be secret in the artifact's URL. */
  plan: string;
  /** The artifact's URL as the caller sent it, to be sent once more after a restart. Null once the rollout has ended. */
  file_url: string | null;
  started_at: string;
  ended_at: string | null;
  /** When the outcome was told to a caller, or nobody waited for it any more. */
  answered_at: string | null;
  /** As the last of its events has it; empty for rollouts of versions that wrote none. */
  state: ColumnType<string, string | undefined, string>;
  project_name: ColumnType<string, string | undefined, string>;
  /** Who asked, as the audit trail calls them. */
  requested_by: ColumnType<string, string | undefined, string>;
  /** SHA-256 of who asked and the Idempotency-Key that came with it. */
  idempotency_key: ColumnType<string | null, string | null | undefined, string | null>;
  /** The controller that carries it out; null for one that was left to any other, and for those of versions that knew no others. */
  owner: ColumnType<string | null, string | undefined, string | null>;
  /** How often it has passed from one controller to another. Whoever had it before writes nothing of it any more. */
  epoch: ColumnType<number, undefined, number>;
  /** The last fence that its orders were given under; null before it has its locks. */
  fence: ColumnType<number | string | null, undefined, number>;
}

/** What happened in a rollout, numbered from 1 without a gap. Written by whoever holds its locks, and never changed. */
export interface RolloutEventTable {
  operation_id: string;
  seq: number;
  at: string;
  kind: string;
  /** JSON: the event as callers get it, without number, time and kind. */
  body: string;
}

/** What somebody wants of a rollout that another controller carries out. */
interface RolloutRequestTable {
  /** UUIDv7: they are in the order in which they were asked. */
  id: string;
  operation_id: string;
  /** cancel, pause or resume. */
  request: string;
  who: string;
  asked_at: string;
  /** Null until its controller has looked at it: then `OK`, or the state in which it is refused. */
  answer: string | null;
}

/** Who works on a link of a host. A holder that does not renew it in time has lost it. */
export interface LinkLockTable {
  /** The agent's address, `10.0.0.3:7410`. */
  host: string;
  /** The link's name, for golang behind its directory and a slash. */
  link: string;
  operation_id: string;
  project: string;
  version: string;
  since: string;
  expires_at: string;
}

interface DatabaseIdentityTable {
  id: number;
  uuid: string;
  /** The last fence that was given out. It follows the clock where that is ahead, so that a restored backup does not give one out again. */
  fence: ColumnType<number | string, number, number>;
  /** Of the CA's roots, since the CA was last rolled or retired; null: never. */
  roots_sha256: string | null;
}

/** What one host of a rollout came to. */
export interface HostOutcomeTable {
  operation_id: string;
  host: string;
  /** OK, or the code of the error. */
  code: string;
  /** JSON of code, params and aftermath; null for OK. */
  error: string | null;
  ended_at: string;
}

/** A key to the API. The key itself is nowhere; its hash finds it. */
export interface TokenTable {
  id: string;
  /** Unique among those that are not revoked. */
  name: string;
  /** SHA-256, in hex. */
  hash: string;
  /** JSON list. */
  scopes: string;
  /** JSON list; null: all of them. */
  projects: string | null;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
}

/** One thing that somebody did, or was refused. Triggers keep it from being changed or deleted. */
export interface AuditTable {
  id: Generated<number>;
  at: string;
  who: string;
  address: string | null;
  action: string;
  project: string | null;
  /** JSON list of names. */
  hosts: string | null;
  /** `begun`, `OK`, `failed`, `refused`, or the code of an error. */
  outcome: string;
  /** The same in the row of the begin and that of the end. */
  operation_id: string | null;
  /** JSON. */
  details: string | null;
}

/** How something came out that the audit trail has as begun. */
export interface AuditedEnd {
  /** `OK`, or `failed`. */
  outcome: string;
  /** Kept as JSON. */
  details: object;
}

/** A certificate of an agent, written down before anybody has it: what is not here cannot be revoked. */
export interface CertificateTable {
  /** As Node prints it: upper-case hex. */
  serial: string;
  /** The host's own name or address, under which it is known; `agent` holds `host` or `host:port`, as it is dialled. */
  host: string;
  agent: string;
  /** JSON list: other names and addresses of the host. */
  aliases: string;
  pem: string;
  /** SHA-256 of the public key. */
  key_sha256: string;
  /** SHA-256 of the roots that the agent got with it; null: it has not been handed over. */
  roots_sha256: string | null;
  issued_at: string;
  expires_at: string;
  revoked_at: string | null;
}

/** The right to join once, as one host. */
export interface JoinTokenTable {
  /** SHA-256, in hex. */
  hash: string;
  agent: string;
  /** JSON list. */
  aliases: string;
  created_at: string;
  expires_at: string;
  used_at: string | null;
}
