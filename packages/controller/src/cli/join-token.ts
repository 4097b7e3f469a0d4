import { formatJoinToken } from '@sampan/shared/identity/join-token.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { Command } from 'commander';
import { parseAgentAddress } from '../agents/agent-address.ts';
import { Audit } from '../auth/audit.ts';
import type { ControllerConfig } from '../config.ts';
import { namesOf } from '../identity/enroll.ts';
import { JoinTokens } from '../identity/join-tokens.ts';
import { newestRoot } from '../identity/roots.ts';
import { parseList, parsePeriod } from './arguments.ts';
import { enrollingOf } from './identity-context.ts';
import { installLine } from './install-line.ts';
import { ownUrl } from './own-url.ts';
import { print, printNote } from './print.ts';
import { type CommandContext, runCommand } from './run-command.ts';

const TTL_MS = 3_600_000;

interface JoinTokenOptions {
  host: string;
  alias: string[];
  ttl: number;
  controller?: string;
}

/** `join-token`: the right of one host to join, once. */
export function joinTokenCommand(): Command {
  return new Command('join-token')
    .description('print a token with which one host can join, once')
    .requiredOption(
      '--host <host>',
      'as it is written in server_list: an address or name, with :port where that is not the usual one',
    )
    .option('--alias <names>', 'other addresses or names by which callers write it', parseList, [])
    .option('--ttl <span>', 'how long it is good for; default: 1h', parsePeriod, TTL_MS)
    .option('--controller <url>', 'where the host reaches this controller; default: from public_hosts and listen')
    .action((options: JoinTokenOptions, self: Command) => runCommand(self, (context) => joinToken(context, options)));
}

async function joinToken(context: CommandContext, { host, alias, ttl, controller }: JoinTokenOptions): Promise<void> {
  const { config, db, who } = context;
  requireHttps(config);
  const { authority } = await enrollingOf(context);
  const names = namesOf({ agent: host, aliases: alias });
  // Before anything is made: a token that nobody gets to see would stay.
  const url = withPort(controller ?? ownUrl(config));
  const secret = await db.transaction().execute(async (trx) => {
    const made = await new JoinTokens(trx).create(names, ttl);
    const details = { aliases: names.aliases, ttlSeconds: ttl / 1000 };
    await new Audit(trx).append({ who, action: 'join-token', hosts: [names.host], outcome: 'OK', details });
    return made;
  });
  const { sha256 } = newestRoot(authority);
  const token = formatJoinToken({ secret, caSha256: sha256 });
  printNote(`Within ${Math.round(ttl / 60_000)} minutes, once, on ${names.host}, as root:`);
  printNote(`  sampan-agent --config /etc/sampan/agent.yaml join --controller ${url} --token ${token}`);
  if (config.agents.package !== null) {
    printNote('Or, where no agent is installed yet:');
    printNote(`  ${installLine(url, sha256, token)}`);
  }
  print(token);
}

/** @throws ConfigError */
function withPort(text: string): string {
  const url = URL.parse(text);
  // What is printed is typed into a shell.
  if (url?.protocol !== 'https:' || !parseAgentAddress(url.hostname, 443)) {
    throw new ConfigError(`--controller is ${text}, expected an address such as https://deploy.example:8080`);
  }
  return `https://${url.hostname}:${url.port || 443}`;
}

/** @throws ConfigError */
function requireHttps({ tls }: ControllerConfig): void {
  if (tls === null)
    throw new ConfigError(
      'tls is not set: hosts join over HTTPS alone; set tls: own_ca, or use sampan-controller issue',
    );
}
