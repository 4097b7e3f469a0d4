import { DeployError } from '@sampan/shared/errors.ts';
import type { AgentAddress } from './agent-address.ts';
import { AgentConnection } from './agent-connection.ts';
import type { AgentSecurity } from './agent-security.ts';
import { probe } from './probe.ts';

/** An agent that was just starting answers the second time; what is no agent does not. */
const ATTEMPTS = 2;

export interface Dialling {
  security: AgentSecurity;
  timeoutMs: number;
}

/**
 * Connects to an agent, anew.
 * @throws DeployError AGENT_UNREACHABLE at once when it refuses or speaks no gRPC, AGENT_CONNECT_TIMEOUT when nothing answers
 * within `timeoutMs`, CERTIFICATE_REFUSED or IDENTITY_MISSING; what `signal` was aborted with.
 */
export async function dial(address: AgentAddress, how: Dialling, signal: AbortSignal): Promise<AgentConnection> {
  const { timeoutMs } = how;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await connected(address, how, AbortSignal.any([timeout, signal]));
  } catch (error) {
    if (!timeout.aborted || error instanceof DeployError) throw error;
    throw new DeployError('AGENT_CONNECT_TIMEOUT', { seconds: timeoutMs / 1000 }, { cause: error });
  }
}

async function connected(address: AgentAddress, how: Dialling, signal: AbortSignal): Promise<AgentConnection> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const peer = await probe(address, signal);
    const connection = new AgentConnection(peer, how.security.prepare(address, peer), how.timeoutMs);
    if (await connection.open(signal)) return connection;
    connection.close();
    await how.security.diagnose(address, peer, signal);
  }
  throw new DeployError('AGENT_UNREACHABLE', { reason: `EPROTO ${address.key}` });
}
