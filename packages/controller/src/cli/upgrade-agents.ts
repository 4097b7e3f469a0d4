import { errorText } from '@sampan/shared/error-text.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { createLogger } from '@sampan/shared/logger.ts';
import { Command } from 'commander';
import { parseAgentAddress } from '../agents/agent-address.ts';
import { AgentPool } from '../agents/agent-pool.ts';
import { Audit } from '../auth/audit.ts';
import { type AgentCertificate, CertificateRecords } from '../identity/certificate-records.ts';
import { namesOf } from '../identity/enroll.ts';
import { openIdentity } from '../identity/open-identity.ts';
import { type AgentPackage, readAgentPackage } from '../upgrade/agent-package.ts';
import { type Upgraded, upgradeAgent } from '../upgrade/upgrade-agent.ts';
import { parseCount, parseList } from './arguments.ts';
import { identityDirOf } from './identity-context.ts';
import { print, printNote } from './print.ts';
import { type CommandContext, runCommand } from './run-command.ts';

interface UpgradeOptions {
  host: string[];
  package?: string;
  batch: number;
  allowDowngrade?: true;
}

/** `upgrade-agents`: another version on the hosts that have joined, one first, then batch by batch. */
export function upgradeAgentsCommand(): Command {
  return new Command('upgrade-agents')
    .description('install another version of the agent on hosts that have joined: on one first, then batch by batch')
    .option('--host <hosts>', 'only these, as they joined; default: all', parseList, [])
    .option('--package <file>', "the agent's package; default: agents.package")
    .option('--batch <count>', 'so many at a time, after the first', parseCount, 10)
    .option('--allow-downgrade', 'also where a newer version runs')
    .action((options: UpgradeOptions, self: Command) => runCommand(self, (context) => upgradeAgents(context, options)));
}

async function upgradeAgents(context: CommandContext, options: UpgradeOptions): Promise<void> {
  const { config, db, who } = context;
  const file = options.package ?? config.agents.package;
  if (file === null) throw new ConfigError('which package? Set agents.package, or name it with --package');
  const agentPackage = await readAgentPackage(file);
  const hosts = await chosen(context, options.host);
  printNote(`sampan-agent ${agentPackage.version} for ${hosts.length} ${hosts.length === 1 ? 'host' : 'hosts'}`);
  const log = createLogger('sampan-controller', 'silent');
  const identity = await openIdentity(identityDirOf(context), { config, db, log });
  // What waits for agents keeps no process alive: in a controller, its server does.
  const alive = setInterval(() => undefined, 60_000);
  const agents = new AgentPool({ security: identity.security, timeoutMs: config.agents.connect_timeout });
  // It may take longer than what is left of our own certificate.
  identity.follow(agents);
  const upgrade = async ({ host, agent }: AgentCertificate) => {
    const address = parseAgentAddress(agent, config.agents.port);
    if (!address) throw new Error(`${agent} was written down as an address, and is none`);
    const order = { agents, address, agentPackage, mayDowngrade: options.allowDowngrade === true };
    const upgraded = await upgradeAgent(order, new AbortController().signal);
    print(`${host}: ${lineOf(upgraded, agentPackage)}`);
    const details = { version: agentPackage.version, found: upgraded.found };
    const outcome =
      upgraded.kind === 'failed' ? upgraded.error.code : upgraded.kind === 'upgraded' ? 'OK' : upgraded.kind;
    await new Audit(db).append({ who, action: 'upgrade', hosts: [host], outcome, details });
    return upgraded;
  };
  try {
    const done = await inBatches(hosts, options.batch, upgrade);
    const failed = done.filter(({ kind }) => kind === 'failed').length;
    if (failed === 0) return;
    const rest = hosts.length - done.length;
    throw new ConfigError(
      `${failed} of ${done.length} failed${rest > 0 ? `; the other ${rest} were left as they are` : ''}`,
    );
  } finally {
    clearInterval(alive);
    agents.close();
    await identity.close();
  }
}

/** The first alone, the others so many at a time; none any more once one has failed. */
async function inBatches<H, T extends { kind: string }>(
  hosts: readonly H[],
  batch: number,
  work: (host: H) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  for (let at = 0; at < hosts.length && !done.some(({ kind }) => kind === 'failed'); ) {
    const size = at === 0 ? 1 : batch;
    done.push(...(await Promise.all(hosts.slice(at, at + size).map(work))));
    at += size;
  }
  return done;
}

async function chosen({ db }: CommandContext, wanted: readonly string[]): Promise<AgentCertificate[]> {
  const known = (await new CertificateRecords(db).current()).filter(({ revokedAt }) => revokedAt === undefined);
  const names = wanted.map((host) => namesOf({ agent: host, aliases: [] }).host);
  const stranger = names.find((name) => !known.some(({ host }) => host === name));
  if (stranger !== undefined)
    throw new ConfigError(`${stranger} has not joined, or was revoked; sampan-controller agents lists those that have`);
  const hosts = names.length === 0 ? known : known.filter(({ host }) => names.includes(host));
  if (hosts.length === 0) throw new ConfigError('no host has joined');
  return hosts;
}

function lineOf(upgraded: Upgraded, { version }: AgentPackage): string {
  switch (upgraded.kind) {
    case 'upgraded':
      return `${upgraded.found} -> ${version}`;
    case 'unchanged':
      return `runs ${version} already`;
    case 'newer':
      return `runs ${upgraded.found}, which is newer; --allow-downgrade installs ${version} all the same`;
    case 'failed':
      return `FAILED: ${errorText(upgraded.error, 'en')}`;
  }
}
