import { createHash, X509Certificate } from 'node:crypto';
import { type Kysely, type Selectable, sql } from 'kysely';
import { z } from 'zod';
import { isPostgres } from '../store/is-postgres.ts';
import type { CertificateTable, Tables } from '../store/tables.ts';

/** Where an agent is, and what it is called. */
export interface AgentNames {
  /** As it is dialled: `host` or `host:port`. */
  agent: string;
  host: string;
  /** Other names and addresses by which callers may write the host. */
  aliases: readonly string[];
}

/** A certificate that was issued to an agent. */
export interface AgentCertificate extends AgentNames {
  serial: string;
  pem: string;
  keySha256: string;
  /** The roots that went with it; undefined: it was not handed over yet, as far as is known. */
  rootsSha256: string | undefined;
  issuedAt: Date;
  expiresAt: Date;
  revokedAt: Date | undefined;
}

/** The certificates of all agents, in the database. */
export class CertificateRecords {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** Writes a certificate down, before it is given away. */
  async add({ agent, host, aliases }: AgentNames, pem: string, rootsSha256?: string): Promise<AgentCertificate> {
    const certificate = new X509Certificate(pem);
    const row = {
      serial: certificate.serialNumber,
      host,
      agent,
      aliases: JSON.stringify(aliases),
      pem,
      key_sha256: keySha256(certificate),
      roots_sha256: rootsSha256 ?? null,
      issued_at: new Date().toISOString(),
      expires_at: certificate.validToDate.toISOString(),
      revoked_at: null,
    };
    await this.#db.insertInto('certificates').values(row).execute();
    return certificateOf(row);
  }

  /** That the agent has it, with these roots. */
  async handedOver(serial: string, rootsSha256: string): Promise<void> {
    await this.#db
      .updateTable('certificates')
      .set({ roots_sha256: rootsSha256 })
      .where('serial', '=', serial)
      .execute();
  }

  /** Ends all certificates of a host; says how many. Those of `exceptKey` stay. */
  async revoke(host: string, exceptKey = ''): Promise<number> {
    const { numUpdatedRows } = await this.#db
      .updateTable('certificates')
      .set({ revoked_at: new Date().toISOString() })
      .where('host', '=', host)
      .where('key_sha256', '!=', exceptKey)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    return Number(numUpdatedRows);
  }

  /**
   * Writes down what follows `known`, unless that was revoked, or another key joined as its host, since it was read: nothing
   * is issued then. Undefined: so it is.
   */
  async succeed(known: AgentCertificate, issue: () => Promise<string>): Promise<AgentCertificate | undefined> {
    const pem = await issue();
    return await this.#db.transaction().execute(async (trx) => {
      const records = new CertificateRecords(trx);
      await records.holdStill();
      return (await records.isLive(known)) ? await records.add(known, pem) : undefined;
    });
  }

  /** Within a transaction: nobody revokes or adds until it has ended. SQLite lets only one write as it is. */
  async holdStill(): Promise<void> {
    if (isPostgres(this.#db)) await sql`lock table certificates in share row exclusive mode`.execute(this.#db);
  }

  /** Whether a certificate is not revoked, and no other key is its host's by now. */
  async isLive({ serial, host, keySha256: key }: AgentCertificate): Promise<boolean> {
    const rows = await this.#db
      .selectFrom('certificates')
      .select(['serial', 'key_sha256', 'revoked_at'])
      .where('host', '=', host)
      .execute();
    const own = rows.find((row) => row.serial === serial);
    return own?.revoked_at === null && rows.every((row) => row.revoked_at !== null || row.key_sha256 === key);
  }

  /** The CA's roots were changed: every controller of this database is to have these (`rootsSha256`). */
  async setRoots(roots_sha256: string): Promise<void> {
    await this.#db.updateTable('database_identity').set({ roots_sha256 }).execute();
  }

  /** Undefined: they never were. */
  async roots(): Promise<string | undefined> {
    const query = this.#db.selectFrom('database_identity').select('roots_sha256');
    return (await query.executeTakeFirstOrThrow()).roots_sha256 ?? undefined;
  }

  /** The serials of all that were revoked. */
  async revokedSerials(): Promise<Set<string>> {
    const rows = await this.#db
      .selectFrom('certificates')
      .select('serial')
      .where('revoked_at', 'is not', null)
      .execute();
    return new Set(rows.map(({ serial }) => serial));
  }

  /**
   * The newest certificate of each host, by host; a host whose certificates are all revoked has its last one, marked so. What was
   * written down under a clock that was ahead does not count until then.
   */
  async current(now = new Date()): Promise<AgentCertificate[]> {
    const rows = await this.#db
      .selectFrom('certificates')
      .selectAll()
      .where('issued_at', '<=', now.toISOString())
      .orderBy('issued_at')
      .orderBy('serial')
      .execute();
    const byHost = new Map<string, AgentCertificate>();
    for (const certificate of rows.map(certificateOf)) {
      if (
        certificate.revokedAt === undefined ||
        byHost.get(certificate.host)?.revokedAt !== undefined ||
        !byHost.has(certificate.host)
      ) {
        byHost.set(certificate.host, certificate);
      }
    }
    return [...byHost.values()].sort((a, b) => a.host.localeCompare(b.host));
  }
}

/** SHA-256 of a certificate's public key. */
export function keySha256({ publicKey }: X509Certificate): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

const names = z.array(z.string());

function certificateOf(row: Selectable<CertificateTable>): AgentCertificate {
  return {
    serial: row.serial,
    agent: row.agent,
    host: row.host,
    aliases: names.parse(JSON.parse(row.aliases)),
    pem: row.pem,
    keySha256: row.key_sha256,
    rootsSha256: row.roots_sha256 ?? undefined,
    issuedAt: new Date(row.issued_at),
    expiresAt: new Date(row.expires_at),
    revokedAt: row.revoked_at === null ? undefined : new Date(row.revoked_at),
  };
}
