import { errorText } from '@sampan/shared/error-text.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { createLogger } from '@sampan/shared/logger.ts';
import { notifyReady } from '@sampan/shared/notify-systemd.ts';
import { stopOnSignal } from '@sampan/shared/stop-on-signal.ts';
import { VERSION } from '@sampan/shared/version.ts';
import { Command } from 'commander';
import { startAgent } from './agent.ts';
import { loadAgentConfig } from './config.ts';
import { joinCommand } from './join/join-command.ts';

const program = new Command('sampan-agent')
  .description('Deploys packages on this host, as a Sampan controller tells it. Without a command it does that.')
  .version(VERSION)
  .option('-c, --config <file>', 'agent.yaml; without it: on loopback, with everything under ./.sampan')
  .allowExcessArguments()
  .action(({ config }: { config?: string }, { args }: Command) => {
    if (args[0] !== undefined) program.error(`error: unknown command '${args[0]}'`);
    return run(config);
  })
  .addCommand(joinCommand());

try {
  await program.parseAsync();
} catch (error) {
  // What a person can mend is told in words; everything else keeps its stack.
  console.error(error instanceof ConfigError ? error.message : DeployError.is(error) ? errorText(error, 'en') : error);
  // Whatever was opened before the failure would keep a half-started agent alive.
  process.exit(1);
}

async function run(file: string | undefined): Promise<void> {
  const config = loadAgentConfig(file);
  const log = createLogger('sampan-agent', config.log_level);
  const starting = startAgent(config, log);
  // What an impatient second signal leaves open is closed at the next start.
  stopOnSignal(starting, log);
  await starting;
  notifyReady(process.env.NOTIFY_SOCKET, log);
}
