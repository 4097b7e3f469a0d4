import { callAgent } from '../agents/call-agent.ts';
import type { AgentCall } from '../agents/start-call.ts';
import type { HostRun } from './host-run.ts';

const TIMEOUT_MS = 5_000;

/** What the link names now, for a host whose operation is in doubt; empty when that cannot be asked either. Never throws. */
export async function askCurrentVersion(run: HostRun): Promise<{ current?: string }> {
  const call: AgentCall<'GetCurrentVersion'> = {
    method: 'GetCurrentVersion',
    request: { target: run.plan.target },
    timeoutMs: TIMEOUT_MS,
  };
  try {
    const connection = await run.agents.connect(run.host.address, run.stop.abandoned);
    return { current: (await callAgent(connection, call, run.stop.abandoned)).version };
  } catch (err) {
    run.log.warn({ operationId: run.operationId, host: run.host.name, err }, 'current version not known');
    return {};
  }
}
