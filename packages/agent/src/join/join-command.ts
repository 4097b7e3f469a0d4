import { readFileSync } from 'node:fs';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { Command } from 'commander';
import { loadAgentConfig } from '../config.ts';

interface JoinOptions {
  controller: string;
  token?: string;
  tokenFile?: string;
  force?: true;
}

/** `join`: gives this host the identity by which the controller knows it. */
export function joinCommand(): Command {
  return new Command('join')
    .description('make a key on this host, and get a certificate for it from the controller')
    .requiredOption('--controller <url>', 'such as https://deploy.example:8080')
    .option('--token <token>', 'as sampan-controller join-token printed it')
    .option('--token-file <file>', 'a file that holds it: an argument can be read by everybody on the host')
    .option('--force', 'replace the identity that this host has')
    .action(async (options: JoinOptions, self: Command) => {
      const dir = identityDir(self.optsWithGlobals<{ config?: string }>().config);
      // Loaded here: the agent that runs needs none of it.
      const { join } = await import('./join.ts');
      const { controller: controllerUrl, force = false } = options;
      const { host, expiresAt } = await join({ dir, controllerUrl, token: tokenOf(options), force });
      process.stdout.write(
        `joined as ${host}: certificate in ${dir}, good until ${expiresAt.toISOString()}; the controller renews it\n`,
      );
    });
}

function tokenOf({ token, tokenFile }: JoinOptions): string {
  if (token !== undefined) return token;
  if (tokenFile === undefined) throw new ConfigError('--token or --token-file is missing');
  try {
    return readFileSync(tokenFile, 'utf8').trim();
  } catch (cause) {
    throw new ConfigError(`--token-file ${tokenFile}: ${(cause as Error).message}`, { cause });
  }
}

function identityDir(file: string | undefined): string {
  const { identity_dir } = loadAgentConfig(file);
  if (identity_dir !== null) return identity_dir;
  throw new ConfigError(
    `identity_dir is not set: add it to ${file ?? 'agent.yaml'}, such as /var/lib/sampan-agent/identity, and name that file with --config`,
  );
}
