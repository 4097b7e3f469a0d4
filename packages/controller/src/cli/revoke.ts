import { ConfigError } from '@sampan/shared/load-config.ts';
import { Command } from 'commander';
import { Audit } from '../auth/audit.ts';
import { CertificateRecords } from '../identity/certificate-records.ts';
import { namesOf } from '../identity/enroll.ts';
import { print } from './print.ts';
import { type CommandContext, runCommand } from './run-command.ts';

/** `revoke`: the end of a host's identity. The running controller follows within a second. */
export function revokeCommand(): Command {
  return new Command('revoke')
    .description('end the identity of a host, at once; it can join again with a new token')
    .requiredOption('--host <host>', 'as it joined')
    .action((options: { host: string }, self: Command) => runCommand(self, (context) => revoke(context, options)));
}

async function revoke({ db, who }: CommandContext, options: { host: string }): Promise<void> {
  const { host } = namesOf({ agent: options.host, aliases: [] });
  const count = await db.transaction().execute(async (trx) => {
    const revoked = await new CertificateRecords(trx).revoke(host);
    if (revoked === 0)
      throw new ConfigError(
        `${host} has no certificate that could be revoked; sampan-controller agents lists those that have`,
      );
    await new Audit(trx).append({
      who,
      action: 'revoke',
      hosts: [host],
      outcome: 'OK',
      details: { certificates: revoked },
    });
    return revoked;
  });
  print(`${host}: ${count === 1 ? 'its certificate is' : `its ${count} certificates are`} revoked`);
}
