import { stat } from 'node:fs/promises';
import type { SecureContext } from 'node:tls';
import type { Logger } from '@sampan/shared/logger.ts';
import type { Credentials } from '../agents/agent-security.ts';
import { authorityFile, readAuthority } from './authority-file.ts';
import type { CertificateAuthority, KeyPair } from './certificate-authority.ts';
import type { CertificateRecords } from './certificate-records.ts';
import { agentContext, type OwnCertificates, type OwnNames, ownCertificates } from './own-certificates.ts';

/** How soon what a command changed (a revocation, a roll of the CA) counts in the controller that runs. */
const LOOK_EVERY_MS = 500;

interface State {
  authority: CertificateAuthority;
  own: OwnCertificates;
  context: SecureContext;
  /** Of the CA's file. */
  version: string;
}

interface Parts {
  names: OwnNames;
  records: CertificateRecords;
  log: Logger;
  state: State;
  revoked: ReadonlySet<string>;
}

/**
 * Who the controller is, while it runs: the CA, its own certificates, and which agents' certificates are revoked. Follows what
 * the commands change, and replaces its own certificates when half of their life is over.
 */
export class ControllerIdentity implements Credentials {
  readonly #names: OwnNames;
  readonly #records: CertificateRecords;
  readonly #log: Logger;
  readonly #listeners = new Map<'own' | 'revoked', Set<() => void>>();
  #state: State;
  #revoked: ReadonlySet<string>;
  #isBlind = false;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  private constructor(parts: Parts) {
    this.#names = parts.names;
    this.#records = parts.records;
    this.#log = parts.log;
    this.#state = parts.state;
    this.#revoked = parts.revoked;
  }

  /** @throws ConfigError: there is no CA in the directory. */
  static async open(names: OwnNames, records: CertificateRecords, log: Logger): Promise<ControllerIdentity> {
    return new ControllerIdentity({
      names,
      records,
      log,
      state: await load(names),
      revoked: await records.revokedSerials(),
    });
  }

  get authority(): CertificateAuthority {
    return this.#state.authority;
  }

  /** What connections to agents are made with. */
  get context(): SecureContext {
    return this.#state.context;
  }

  /** For HTTPS under our own CA. */
  get server(): KeyPair {
    return this.#state.own.server;
  }

  isRevoked(serial: string): boolean {
    return this.#revoked.has(serial);
  }

  /** `own`: we show other certificates, or trust other roots, from now on. `revoked`: agents' certificates were revoked. */
  onChange(what: 'own' | 'revoked', listener: () => void): void {
    const listeners = this.#listeners.get(what) ?? new Set();
    this.#listeners.set(what, listeners.add(listener));
  }

  /** Begins to follow. */
  watch(): void {
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, LOOK_EVERY_MS).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Keeps what it has when it cannot look: a database that fails for a moment must not let a revoked agent in, nor others out. */
  async #look(): Promise<void> {
    try {
      await this.#lookForRevoked();
      await this.#lookForOwn();
      this.#isBlind = false;
    } catch (error) {
      if (!this.#isBlind)
        this.#log.error({ err: error }, 'certificates cannot be looked at; those that are known stay');
      this.#isBlind = true;
    }
  }

  async #lookForRevoked(): Promise<void> {
    const revoked = await this.#records.revokedSerials();
    if (revoked.size === this.#revoked.size && revoked.isSubsetOf(this.#revoked)) return;
    this.#revoked = revoked;
    this.#tell('revoked');
  }

  async #lookForOwn(): Promise<void> {
    const isSame = (await versionOf(this.#names.dir)) === this.#state.version;
    const own = isSame ? await ownCertificates(this.#state.authority, this.#names) : undefined;
    if (own && own.client.key === this.#state.own.client.key && own.server.key === this.#state.own.server.key) return;
    this.#state = own
      ? { ...this.#state, own, context: agentContext(this.#state.authority, own) }
      : await load(this.#names);
    this.#log.info({ roots: this.#state.authority.pem.roots.length }, 'own certificates replaced');
    this.#tell('own');
  }

  #tell(what: 'own' | 'revoked'): void {
    for (const listener of this.#listeners.get(what) ?? []) listener();
  }
}

async function load(names: OwnNames): Promise<State> {
  const version = await versionOf(names.dir);
  const authority = await readAuthority(names.dir);
  const own = await ownCertificates(authority, names);
  return { authority, own, context: agentContext(authority, own), version };
}

/** Changes when the CA is replaced. */
async function versionOf(dir: string): Promise<string> {
  const { ino, mtimeMs } = await stat(authorityFile(dir)).catch(() => ({ ino: 0, mtimeMs: 0 }));
  return `${ino} ${mtimeMs}`;
}
