import { ConfigError } from '@sampan/shared/load-config.ts';
import { createLogger } from '@sampan/shared/logger.ts';
import { notifyReady } from '@sampan/shared/notify-systemd.ts';
import { stopOnSignal } from '@sampan/shared/stop-on-signal.ts';
import { VERSION } from '@sampan/shared/version.ts';
import { Command } from 'commander';
import { agentsCommand } from './cli/agents.ts';
import { auditCommand } from './cli/audit.ts';
import { caCommand } from './cli/ca.ts';
import { initCommand } from './cli/init.ts';
import { issueCommand } from './cli/issue.ts';
import { joinTokenCommand } from './cli/join-token.ts';
import { revokeCommand } from './cli/revoke.ts';
import { tokenCommand } from './cli/token.ts';
import { upgradeAgentsCommand } from './cli/upgrade-agents.ts';
import { loadControllerConfig } from './config.ts';

const program = new Command('sampan-controller')
  .description('Answers the deploy API, and commands the agents on the hosts. Without a command it serves.')
  .version(VERSION)
  .option('-c, --config <file>', 'controller.yaml; without it: on 127.0.0.1:8080, with its database under ./.sampan')
  .allowExcessArguments()
  .action(({ config }: { config?: string }, { args }: Command) => {
    if (args[0] !== undefined) program.error(`error: unknown command '${args[0]}'`);
    return serve(config);
  })
  .addCommand(initCommand())
  .addCommand(joinTokenCommand())
  .addCommand(issueCommand())
  .addCommand(revokeCommand())
  .addCommand(agentsCommand())
  .addCommand(upgradeAgentsCommand())
  .addCommand(caCommand())
  .addCommand(tokenCommand())
  .addCommand(auditCommand());

try {
  await program.parseAsync();
} catch (error) {
  // What a person can mend is told in words; everything else keeps its stack.
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
}

async function serve(file: string | undefined): Promise<void> {
  const config = loadControllerConfig(file);
  const log = createLogger('sampan-controller', config.log_level);
  // Commands need none of it, and are there sooner without.
  const { startController } = await import('./controller.ts');
  const starting = startController(config, log);
  // After an impatient second signal the agents finish what they were told, and keep the outcome.
  stopOnSignal(starting, log);
  // Where there is nothing to read again, SIGHUP ends the process, as it does when a terminal closes; but no unit that reloads.
  const { NOTIFY_SOCKET } = process.env;
  if ((config.tls !== null && config.tls !== 'own_ca') || NOTIFY_SOCKET !== undefined) {
    process.on('SIGHUP', () => void starting.then(({ reload }) => reload?.()).catch(() => undefined));
  }
  await starting;
  notifyReady(NOTIFY_SOCKET, log);
}
