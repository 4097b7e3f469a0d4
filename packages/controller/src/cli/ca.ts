import { X509Certificate } from 'node:crypto';
import { pemSha256 } from '@sampan/shared/identity/pem.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { Command } from 'commander';
import { Audit } from '../auth/audit.ts';
import { writeAuthority } from '../identity/authority-file.ts';
import type { CertificateAuthority } from '../identity/certificate-authority.ts';
import { CertificateRecords } from '../identity/certificate-records.ts';
import { isDue } from '../identity/renewal.ts';
import { rootsSha256 } from '../identity/roots.ts';
import { enrollingOf, identityDirOf } from './identity-context.ts';
import { print, printTable } from './print.ts';
import { type CommandContext, runCommand } from './run-command.ts';

/** `ca show | roll | retire`: replacing the CA takes two steps, with two roots side by side between them. */
export function caCommand(): Command {
  const command = new Command('ca').description('show the CA, or replace it');
  command
    .command('show')
    .description('show the roots that are trusted, and which agents have not followed a roll yet')
    .action((_options: object, self: Command) => runCommand(self, show));
  command
    .command('roll')
    .description(
      'make a new root beside the old one; the running controller then hands every agent a certificate of it',
    )
    .action((_options: object, self: Command) => runCommand(self, roll));
  command
    .command('retire')
    .description('trust the old root no longer')
    .option('--force', 'although there are agents that have not followed: they have to join again')
    .action((options: { force?: true }, self: Command) => runCommand(self, (context) => retire(context, options)));
  return command;
}

async function show(context: CommandContext): Promise<void> {
  const { authority } = await enrollingOf(context);
  printRoots(authority);
  const behind = await hostsBehind(context, authority);
  print(behind.length === 0 ? 'Every agent follows.' : `Not there yet: ${behind.join(', ')}`);
}

async function roll(context: CommandContext): Promise<void> {
  const { authority } = await enrollingOf(context);
  if (authority.pem.roots.length > 1)
    throw new ConfigError('the CA is being rolled already: sampan-controller ca retire ends that');
  const next = await authority.roll();
  await replace(context, next);
  await tell(context, 'ca roll', next);
  printRoots(next);
  print('Where other controllers share the database, copy identity_dir to each of them now.');
  print('When sampan-controller ca show says that every agent follows: sampan-controller ca retire');
}

async function retire(context: CommandContext, { force }: { force?: true }): Promise<void> {
  const { authority } = await enrollingOf(context);
  if (authority.pem.roots.length === 1) throw new ConfigError('there is no old root to retire');
  const behind = await hostsBehind(context, authority);
  if (behind.length > 0 && !force) {
    throw new ConfigError(
      `these have not followed yet, and would have to join again: ${behind.join(', ')} (--force retires the old root all the same)`,
    );
  }
  const next = authority.retire();
  await replace(context, next);
  await tell(context, 'ca retire', next);
  printRoots(next);
}

async function hostsBehind({ db }: CommandContext, authority: CertificateAuthority): Promise<string[]> {
  const known = await new CertificateRecords(db).current();
  return known.filter((certificate) => isDue(certificate, authority)).map(({ host }) => host);
}

/** First in the database: a controller that has the old files yet renews nothing by them. */
async function replace(context: CommandContext, next: CertificateAuthority): Promise<void> {
  await new CertificateRecords(context.db).setRoots(rootsSha256(next));
  await writeAuthority(identityDirOf(context), next);
}

async function tell({ db, who }: CommandContext, action: string, authority: CertificateAuthority): Promise<void> {
  await new Audit(db).append({ who, action, outcome: 'OK', details: { roots: rootsOf(authority).map(pemSha256) } });
}

function printRoots(authority: CertificateAuthority): void {
  const rows = rootsOf(authority).map((root, at) => [
    at === 0 ? 'signs' : 'trusted',
    root.subject.replace('CN=', ''),
    root.validToDate.toISOString().slice(0, 10),
    pemSha256(root),
  ]);
  printTable(['root', 'name', 'expires', 'sha256'], rows, '');
}

function rootsOf({ pem }: CertificateAuthority): X509Certificate[] {
  return pem.roots.map((root) => new X509Certificate(root));
}
