import { Command } from 'commander';
import { Audit } from '../auth/audit.ts';
import { SCOPES, type Scope } from '../auth/scopes.ts';
import { isExpired, type Token, Tokens } from '../auth/tokens.ts';
import { parseName, parseNames, parsePeriod, parseScopes } from './arguments.ts';
import { print, printJson, printNote, printTable } from './print.ts';
import { type CommandContext, runCommand } from './run-command.ts';

interface CreateOptions {
  name: string;
  scope: Scope[];
  project?: string[];
  expires?: number;
  json?: true;
}

/** `token create | list | revoke`: who may call the API. The running controller follows at once. */
export function tokenCommand(): Command {
  const command = new Command('token').description('who may call the API: make, list and revoke bearer tokens');
  command
    .command('create')
    .description('make a token and print it, this once')
    .requiredOption('--name <name>', 'what it is called in lists and in the audit trail', parseName)
    .requiredOption('--scope <scopes>', `what it may do: ${SCOPES.join(', ')} (everything)`, parseScopes)
    .option('--project <names>', 'for these projects only; default: all', parseNames)
    .option('--expires <span>', 'when it ends, such as 90d; default: never', parsePeriod)
    .option('--json', 'for programs')
    .action((options: CreateOptions, self: Command) => runCommand(self, (context) => create(context, options)));
  command
    .command('list')
    .description('show all tokens, never their secrets')
    .option('--json', 'for programs')
    .action((options: { json?: true }, self: Command) => runCommand(self, (context) => list(context, options)));
  command
    .command('revoke')
    .description('end a token, at once')
    .argument('<name>', 'as `token list` shows it')
    .action((name: string, _options: object, self: Command) => runCommand(self, (context) => revoke(context, name)));
  return command;
}

async function create({ db, who }: CommandContext, options: CreateOptions): Promise<void> {
  const { name, scope: scopes, project: projects, expires: expiresInMs } = options;
  const { token, secret } = await db.transaction().execute(async (trx) => {
    const made = await new Tokens(trx).create({ name, scopes, projects, expiresInMs });
    const details = { token: name, scopes, projects, expiresAt: made.token.expiresAt };
    await new Audit(trx).append({ who, action: 'token create', outcome: 'OK', details });
    return made;
  });
  if (options.json) {
    printJson({ ...shown(token), token: secret });
  } else {
    printNote(`${name}: ${whatFor(token)}. The token is shown this once:`);
    print(secret);
  }
}

async function list({ db }: CommandContext, { json }: { json?: true }): Promise<void> {
  const tokens = await new Tokens(db).list();
  if (json) printJson(tokens.map(shown));
  else printTokens(tokens);
}

function printTokens(tokens: readonly Token[]): void {
  const rows = tokens.map((token) => [
    token.name,
    token.scopes.join(','),
    token.projects?.join(',') ?? 'all',
    minute(token.createdAt),
    token.expiresAt ? minute(token.expiresAt) : 'never',
    token.lastUsedAt ? minute(token.lastUsedAt) : 'never',
    stateOf(token),
  ]);
  printTable(['name', 'scopes', 'projects', 'created', 'expires', 'last used', 'state'], rows, 'there are no tokens');
}

async function revoke({ db, who }: CommandContext, name: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await new Tokens(trx).revoke(name);
    await new Audit(trx).append({ who, action: 'token revoke', outcome: 'OK', details: { token: name } });
  });
  print(`${name} is revoked`);
}

function stateOf(token: Token): string {
  if (token.revokedAt) return 'revoked';
  return isExpired(token) ? 'expired' : 'live';
}

function whatFor({ scopes, projects, expiresAt }: Token): string {
  const where = projects ? ` for ${projects.join(', ')}` : '';
  return `${scopes.join(', ')}${where}${expiresAt ? `, until ${minute(expiresAt)}` : ''}`;
}

/** As programs read it: null for what is not. */
function shown(token: Token) {
  return {
    name: token.name,
    scopes: token.scopes,
    projects: token.projects ?? null,
    created_at: token.createdAt,
    expires_at: token.expiresAt ?? null,
    revoked_at: token.revokedAt ?? null,
    last_used_at: token.lastUsedAt ?? null,
    state: stateOf(token),
  };
}

/** `2026-11-22 17:40Z` */
function minute(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')}Z`;
}
