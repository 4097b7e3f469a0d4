import { Command } from 'commander';
import { Audit } from '../auth/audit.ts';
import { isLive, Tokens } from '../auth/tokens.ts';
import { authorityFile, hasAuthority, readAuthority, writeAuthority } from '../identity/authority-file.ts';
import { CertificateAuthority } from '../identity/certificate-authority.ts';
import { newestRoot } from '../identity/roots.ts';
import { identityDirOf } from './identity-context.ts';
import { print, printNote } from './print.ts';
import { type CommandContext, runCommand } from './run-command.ts';

const TOKEN = 'admin';

/** `init`: what a controller needs before other machines may be involved. What is there already stays as it is. */
export function initCommand(): Command {
  return new Command('init')
    .description('make the CA, and a first token that may do everything, printed this once')
    .action((_options: object, self: Command) => runCommand(self, init));
}

async function init(context: CommandContext): Promise<void> {
  const dir = identityDirOf(context);
  const isNew = !hasAuthority(dir);
  if (isNew) await writeAuthority(dir, await CertificateAuthority.create());
  const { sha256 } = newestRoot(await readAuthority(dir));
  printNote(`${isNew ? 'The CA is made' : 'The CA is there already'}: ${authorityFile(dir)}`);
  printNote('Whoever reads that file can command every agent. Keep a copy of it off this machine.');
  printNote(`SHA-256 of the CA: ${sha256}`);
  const secret = await firstToken(context);
  if (secret === undefined) {
    printNote('A token with the scope admin is there already; sampan-controller token create makes others.');
    return;
  }
  printNote(`The token ${TOKEN} may do everything, and is shown this once:`);
  print(secret);
}

/** Undefined: somebody can administer already. */
async function firstToken({ db, who }: CommandContext): Promise<string | undefined> {
  return await db.transaction().execute(async (trx) => {
    const tokens = new Tokens(trx);
    const live = (await tokens.list()).filter(isLive);
    if (live.some(({ scopes }) => scopes.includes('admin'))) return undefined;
    const { secret } = await tokens.create({ name: TOKEN, scopes: ['admin'] });
    await new Audit(trx).append({
      who,
      action: 'token create',
      outcome: 'OK',
      details: { token: TOKEN, scopes: ['admin'] },
    });
    return secret;
  });
}
