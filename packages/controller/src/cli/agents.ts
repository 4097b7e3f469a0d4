import { Command } from 'commander';
import { type AgentCertificate, CertificateRecords } from '../identity/certificate-records.ts';
import { printJson, printTable } from './print.ts';
import { type CommandContext, runCommand } from './run-command.ts';

/** `agents`: which hosts have an identity, and until when. */
export function agentsCommand(): Command {
  return new Command('agents')
    .description('show the hosts that have joined, and until when their certificates are good')
    .option('--json', 'for programs')
    .action((options: { json?: true }, self: Command) => runCommand(self, (context) => list(context, options)));
}

async function list({ db }: CommandContext, { json }: { json?: true }): Promise<void> {
  const known = await new CertificateRecords(db).current();
  if (json) return printJson(known.map(shown));
  const rows = known.map((certificate) => {
    const { host, agent, aliases, expires_at } = shown(certificate);
    return [host, agent, aliases.join(',') || 'none', expires_at.slice(0, 16), stateOf(certificate)];
  });
  printTable(['host', 'agent', 'aliases', 'expires', 'state'], rows, 'no host has joined');
}

function stateOf({ revokedAt, expiresAt, rootsSha256 }: AgentCertificate): string {
  if (revokedAt) return 'revoked';
  if (expiresAt.getTime() <= Date.now()) return 'expired';
  return rootsSha256 === undefined ? 'renewing' : 'live';
}

function shown(certificate: AgentCertificate) {
  const { host, agent, aliases, serial, issuedAt, expiresAt, revokedAt } = certificate;
  return {
    host,
    agent,
    aliases,
    serial,
    issued_at: issuedAt.toISOString(),
    expires_at: expiresAt.toISOString(),
    revoked_at: revokedAt?.toISOString() ?? null,
    state: stateOf(certificate),
  };
}
