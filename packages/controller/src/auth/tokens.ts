import { randomUUID, timingSafeEqual } from 'node:crypto';
import { ConfigError } from '@sampan/shared/load-config.ts';
import type { Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import type { Tables, TokenTable } from '../store/tables.ts';
import { SCOPES, type Scope } from './scopes.ts';
import { createTokenSecret, hashToken, TOKEN_PATTERN } from './token-secret.ts';

/** A token as it is known: everything but the secret. */
export interface Token {
  id: string;
  name: string;
  scopes: readonly Scope[];
  /** Undefined: all projects. */
  projects: readonly string[] | undefined;
  createdAt: string;
  expiresAt: string | undefined;
  revokedAt: string | undefined;
  lastUsedAt: string | undefined;
}

export interface NewToken {
  name: string;
  scopes: readonly Scope[];
  projects?: readonly string[] | undefined;
  /** From now; undefined: it does not expire. */
  expiresInMs?: number | undefined;
}

/** What a presented secret is worth now. Callers are told of one that was revoked no more than of one that never was. */
export type Presented =
  | { kind: 'good'; token: Token }
  | { kind: 'expired' | 'revoked'; token: Token }
  | { kind: 'unknown' };

/** The tokens in the database. Nothing is kept in memory: what a command of the CLI changes counts from the next request on. */
export class Tokens {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /**
   * Makes a token; its secret is returned here and nowhere else. The name of one that has expired is free again.
   * @throws ConfigError when a live token has the name.
   */
  async create({ name, scopes, projects, expiresInMs }: NewToken): Promise<{ token: Token; secret: string }> {
    const secret = createTokenSecret();
    const nowMs = Date.now();
    const row = {
      id: randomUUID(),
      name,
      hash: hashToken(secret),
      scopes: JSON.stringify(scopes),
      projects: projects ? JSON.stringify(projects) : null,
      created_at: new Date(nowMs).toISOString(),
      expires_at: expiresInMs === undefined ? null : new Date(nowMs + expiresInMs).toISOString(),
      revoked_at: null,
      last_used_at: null,
    };
    await this.#db
      .updateTable('tokens')
      .set({ revoked_at: row.created_at })
      .where('name', '=', name)
      .where('revoked_at', 'is', null)
      .where('expires_at', '<=', row.created_at)
      .execute();
    if (await this.#live(name))
      throw new ConfigError(`a token named ${name} is there already: revoke it, or choose another name`);
    await this.#db.insertInto('tokens').values(row).execute();
    return { token: tokenOf(row), secret };
  }

  /** All that were ever made, oldest first. */
  async list(): Promise<Token[]> {
    const rows = await this.#db.selectFrom('tokens').selectAll().orderBy('created_at').orderBy('name').execute();
    return rows.map(tokenOf);
  }

  /** Ends the live token of that name. @throws ConfigError when there is none. */
  async revoke(name: string): Promise<Token> {
    const live = await this.#live(name);
    if (!live) throw new ConfigError(`no live token is named ${name}`);
    const revoked_at = new Date().toISOString();
    await this.#db.updateTable('tokens').set({ revoked_at }).where('id', '=', live.id).execute();
    return tokenOf({ ...live, revoked_at });
  }

  /** Looks a presented secret up, by its hash. */
  async present(secret: string): Promise<Presented> {
    if (!TOKEN_PATTERN.test(secret)) return { kind: 'unknown' };
    const hash = hashToken(secret);
    const row = await this.#db.selectFrom('tokens').selectAll().where('hash', '=', hash).executeTakeFirst();
    // The index finds by a hash that nobody can steer; the comparison that counts takes the same time for every value.
    if (!row || !timingSafeEqual(Buffer.from(row.hash), Buffer.from(hash))) return { kind: 'unknown' };
    const token = tokenOf(row);
    if (token.revokedAt !== undefined) return { kind: 'revoked', token };
    return isExpired(token) ? { kind: 'expired', token } : { kind: 'good', token };
  }

  #live(name: string): Promise<Selectable<TokenTable> | undefined> {
    return this.#db
      .selectFrom('tokens')
      .selectAll()
      .where('name', '=', name)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
  }
}

/** Whether it opens anything: neither revoked nor over. */
export function isLive(token: Token): boolean {
  return token.revokedAt === undefined && !isExpired(token);
}

/** Whether its time is over. */
export function isExpired({ expiresAt }: Token, nowMs: number = Date.now()): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= nowMs;
}

const scopeList = z.array(z.enum(SCOPES));
const projectList = z.array(z.string());

function tokenOf(row: Selectable<TokenTable>): Token {
  return {
    id: row.id,
    name: row.name,
    scopes: scopeList.parse(JSON.parse(row.scopes)),
    projects: row.projects === null ? undefined : projectList.parse(JSON.parse(row.projects)),
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}
