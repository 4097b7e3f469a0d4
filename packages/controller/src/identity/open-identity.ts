import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { Logger } from '@sampan/shared/logger.ts';
import type { Kysely } from 'kysely';
import { parseAgentAddress } from '../agents/agent-address.ts';
import type { AgentPool } from '../agents/agent-pool.ts';
import { type AgentSecurity, mutualTls } from '../agents/agent-security.ts';
import type { ControllerConfig } from '../config.ts';
import type { Tables } from '../store/tables.ts';
import { CertificateRecords } from './certificate-records.ts';
import { ControllerIdentity } from './controller-identity.ts';
import type { Enrolling } from './enroll.ts';
import { renewAll } from './renewal.ts';

const MAX_RENEWAL_PAUSE_MS = 60_000;
const MIN_RENEWAL_PAUSE_MS = 500;
const CUT_EVERY_MS = 5_000;

/** What a controller with a CA of its own does beside its calls. */
export interface RunningIdentity {
  security: AgentSecurity;
  /** For HTTPS under our own CA. */
  https: { current(): { cert: string; key: string }; onChange(listener: () => void): void };
  enrolling(): Enrolling;
  /** Keeps the pool's connections to what is true now: revocations, and our own certificates as they are renewed. */
  follow(agents: AgentPool): void;
  /** The same, and keeps the agents' certificates renewed: for the controller that serves. */
  start(agents: AgentPool): void;
  /** Waits for what it does at the moment. */
  close(): Promise<void>;
}

/** @throws ConfigError: there is no CA in `dir`. */
export async function openIdentity(
  dir: string,
  { config, db, log }: { config: ControllerConfig; db: Kysely<Tables>; log: Logger },
): Promise<RunningIdentity> {
  const records = new CertificateRecords(db);
  const lifetimeMs = config.certificates.lifetime;
  const identity = await ControllerIdentity.open({ dir, hosts: httpsHosts(config), lifetimeMs }, records, log);
  const closing = new AbortController();
  let renewing: Promise<void> = Promise.resolve();
  const timers: NodeJS.Timeout[] = [];

  function start(agents: AgentPool): void {
    const services = {
      authority: () => identity.authority,
      context: () => identity.context,
      records,
      agents,
      agentPort: config.agents.port,
      lifetimeMs,
      log,
    };
    const renew = () => {
      renewing = renewing
        .then(() => renewAll(services, closing.signal))
        .catch((error: unknown) => log.error({ err: error }, 'certificates could not be renewed'));
    };
    follow(agents);
    identity.onChange('own', renew);
    timers.push(setInterval(renew, renewalPauseMs(lifetimeMs)).unref());
    renew();
  }

  function follow(agents: AgentPool): void {
    identity.onChange('revoked', () => agents.cutUnwelcome());
    identity.onChange('own', () => agents.renewAll());
    // An agent's certificate that runs out ends its connection, as one that is revoked does.
    timers.push(setInterval(() => agents.cutUnwelcome(), CUT_EVERY_MS).unref());
    identity.watch();
  }

  return {
    security: mutualTls(identity),
    https: {
      current: () => ({ cert: identity.server.certificate, key: identity.server.key }),
      onChange: (listener) => identity.onChange('own', listener),
    },
    enrolling: () => ({ authority: identity.authority, db, lifetimeMs }),
    follow,
    start,
    async close() {
      for (const timer of timers) clearInterval(timer);
      closing.abort();
      await identity.close();
      await renewing;
    },
  };
}

function renewalPauseMs(lifetimeMs: number): number {
  return Math.max(MIN_RENEWAL_PAUSE_MS, Math.min(MAX_RENEWAL_PAUSE_MS, lifetimeMs / 20));
}

/** By what callers may reach HTTPS: the names of the configuration, and the addresses on which it listens. */
function httpsHosts({ listen, public_hosts }: ControllerConfig): string[] {
  const isAnywhere = listen.host === '0.0.0.0' || listen.host === '::';
  const own = isAnywhere ? Object.values(networkInterfaces()).flatMap((found) => found ?? []) : [];
  const addresses = own
    .map(({ address }) => address)
    .filter((address) => isIP(address) !== 0 && !address.startsWith('fe80'));
  const all = [...public_hosts, listen.host, hostname().toLowerCase(), 'localhost', '127.0.0.1', '::1', ...addresses];
  const names = all.filter((host) => host !== '0.0.0.0' && host !== '::' && parseAgentAddress(host, 1) !== undefined);
  return [...new Set(names)];
}
