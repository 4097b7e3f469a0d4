import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { Command } from 'commander';
import { enroll, namesOf } from '../identity/enroll.ts';
import { parseList } from './arguments.ts';
import { enrollingOf } from './identity-context.ts';
import { print } from './print.ts';
import { type CommandContext, runCommand } from './run-command.ts';

interface IssueOptions {
  host: string;
  alias: string[];
  out: string;
}

/** `issue`: an identity as files, for a host that cannot reach the controller. */
export function issueCommand(): Command {
  return new Command('issue')
    .description('make the identity of a host as files, to be copied there')
    .requiredOption(
      '--host <host>',
      'as it is written in server_list: an address or name, with :port where that is not the usual one',
    )
    .option('--alias <names>', 'other addresses or names by which callers write it', parseList, [])
    .requiredOption('--out <dir>', 'a new directory for agent.key, agent.pem and ca.pem')
    .action((options: IssueOptions, self: Command) => runCommand(self, (context) => issue(context, options)));
}

async function issue(context: CommandContext, { host, alias, out }: IssueOptions): Promise<void> {
  const enrolling = await enrollingOf(context);
  const names = namesOf({ agent: host, aliases: alias });
  await mkdir(out, { mode: 0o700 }).catch((cause: Error) => {
    throw new ConfigError(`--out ${out}: ${cause.message}`, { cause });
  });
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(keys.publicKey.export({ type: 'spki', format: 'der' }));
  const entry = { who: context.who, action: 'issue', hosts: [names.host], outcome: 'OK' };
  await context.db.transaction().execute(async (trx) => {
    const issued = await enroll({ ...enrolling, db: trx }, { names, spki }, entry);
    // Before it counts: it ends the identity that the host has.
    await writeFile(join(out, 'agent.key'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), {
      mode: 0o600,
      flag: 'wx',
    });
    await writeFile(join(out, 'agent.pem'), issued.certificate, { flag: 'wx' });
    await writeFile(join(out, 'ca.pem'), issued.roots, { flag: 'wx' });
  });
  print(
    `The identity of ${names.host} is in ${out}. Move the three files to the identity_dir of that host: they are the only copy of its key. Any identity that it had before has ended.`,
  );
}
