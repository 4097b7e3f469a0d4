import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import { isLoss, lossReason } from '../agents/agent-loss.ts';
import { callAgent } from '../agents/call-agent.ts';
import type { AgentCall } from '../agents/start-call.ts';
import { wireHealthCheck } from './health-check.ts';
import type { HostRun } from './host-run.ts';

/** What one look at a host came to. `away`: its agent could not be asked, which says nothing of the release. */
export type Health = { kind: 'well' } | { kind: 'ill'; error: DeployError } | { kind: 'away'; reason: string };

const SLACK_MS = 5_000;
/** The agent's own default for one attempt. */
const ATTEMPT_MS = 5_000;

/** Has the agent check once what is current now. Never throws. */
export async function checkHealth(run: HostRun): Promise<Health> {
  const { healthCheck } = run.plan.strategy;
  if (!healthCheck) return { kind: 'well' };
  const call: AgentCall<'CheckHealth'> = {
    method: 'CheckHealth',
    request: { target: run.plan.target, healthCheck: wireHealthCheck(healthCheck) },
    timeoutMs: (healthCheck.timeoutMs || ATTEMPT_MS) + SLACK_MS,
  };
  try {
    const connection = await run.agents.connect(run.host.address, run.stop.abandoned);
    const { ok, check, found, expected } = await callAgent(connection, call, run.stop.abandoned);
    if (ok) return { kind: 'well' };
    return { kind: 'ill', error: new DeployError('HEALTH_CHECK_FAILED', { check, attempts: 1, found, expected }) };
  } catch (error) {
    if (isLoss(error)) return { kind: 'away', reason: lossReason(error) };
    if (DeployError.is(error, 'AGENT_DRAINING', 'CERTIFICATE_REFUSED')) return { kind: 'away', reason: error.code };
    return { kind: 'ill', error: asDeployError(error) };
  }
}
