import type { CallOptions, ClientUnaryCall, requestCallback } from '@grpc/grpc-js';
import type { AgentConnection } from './agent-connection.ts';
import { AgentLoss, agentError } from './agent-loss.ts';

/** One unary call. `start` sends it, as `(client, options, done) => client.getStatus({}, options, done)`. */
export interface UnaryCall<Response> {
  method: string;
  timeoutMs: number;
  start(client: AgentConnection['client'], options: CallOptions, done: requestCallback<Response>): ClientUnaryCall;
}

/**
 * Makes a unary call.
 * @throws DeployError as the agent sent it, AGENT_CONNECT_TIMEOUT when it does not answer in time; AgentLoss when the
 * connection breaks; CERTIFICATE_REFUSED when the agent's identity ends meanwhile; what `caller` was aborted with.
 */
export function callAgent<Response>(
  connection: AgentConnection,
  call: UnaryCall<Response>,
  caller: AbortSignal,
): Promise<Response> {
  const signal = AbortSignal.any([caller, connection.cut]);
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    if (connection.ended.aborted) throw new AgentLoss('ECONNRESET');
    const cancel = () => started.cancel();
    const ended = connection.begin();
    const started = call.start(connection.client, { deadline: Date.now() + call.timeoutMs }, (error, response) => {
      signal.removeEventListener('abort', cancel);
      ended();
      if (signal.aborted) reject(signal.reason);
      else if (error) reject(agentError(error, call));
      else if (response === undefined) reject(new Error(`${call.method} gave no response`));
      else {
        connection.heard();
        resolve(response);
      }
    });
    signal.addEventListener('abort', cancel, { once: true });
  });
}
