import type { AgentConfig } from '../config.ts';
import { killIfSame } from '../host/kill-process.ts';
import { processesWhere } from '../host/processes.ts';

/** In the environment of every hook and of every command that checks, and of all that these start: whose they are. */
const AGENT_KEY = 'SAMPAN_AGENT_STATE_DIR';
const OPERATION_KEY = 'SAMPAN_OPERATION';
const CHECK_KEY = 'SAMPAN_HEALTH_CHECK';

/** What a hook of an operation is known by. */
export function hookMark({ state_dir }: AgentConfig, operationId: string): Record<string, string> {
  return { [AGENT_KEY]: state_dir, [OPERATION_KEY]: operationId };
}

/** What a command that checks is known by. */
export function checkMark({ state_dir }: AgentConfig): Record<string, string> {
  return { [AGENT_KEY]: state_dir, [CHECK_KEY]: '1' };
}

/**
 * Ends what is left, after a crash of this agent, of the commands that it waited for: of the hooks of these operations, and of every
 * check, which nothing is to outlive. What other hooks left running is theirs.
 */
export async function endLeftoverCommands(
  { state_dir }: AgentConfig,
  operationIds: ReadonlySet<string>,
): Promise<void> {
  const leftover = await processesWhere(
    (environment) =>
      environment.get(AGENT_KEY) === state_dir &&
      (environment.has(CHECK_KEY) || operationIds.has(environment.get(OPERATION_KEY) ?? '')),
  );
  for (const { pid, startTime } of leftover) await killIfSame(pid, startTime);
}
