import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import type { AgentAddress } from './agent-address.ts';

/**
 * Opens a TCP connection; once it is open, `signal` has no part in it any more.
 * @throws DeployError AGENT_UNREACHABLE with the system's reason; what `signal` was aborted with, and no socket is left.
 */
export async function connectSocket(address: AgentAddress, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connect({ host: address.host, port: address.port, noDelay: true });
  // Whoever speaks on it hears of it by himself, and until then an error is not to end this process.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (cause) {
    socket.destroy();
    signal.throwIfAborted();
    throw new DeployError('AGENT_UNREACHABLE', { reason: reasonOf(cause, address) }, { cause });
  }
}

function reasonOf(error: unknown, address: AgentAddress): string {
  const code = systemCode(error) ?? 'UNKNOWN';
  const isAboutName = code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  return `${code} ${isAboutName ? address.host : address.key}`;
}
