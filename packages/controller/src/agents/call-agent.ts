import type { CallOptions, ClientUnaryCall, requestCallback } from '@grpc/grpc-js';
import type { AgentConnection } from './agent-connection.ts';
import { AgentLoss, agentError } from './agent-loss.ts';
import { abortReason, onAbort } from './on-abort.ts';

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
  const signals = [caller, connection.cut];
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signals, () => started.cancel());
    if (connection.ended.aborted) {
      stopListening();
      throw new AgentLoss('ECONNRESET');
    }
    const ended = connection.begin();
    const started = call.start(connection.client, { deadline: Date.now() + call.timeoutMs }, (error, response) => {
      stopListening();
      ended();
      const aborted = abortReason(signals);
      if (aborted) reject(aborted.reason);
      else if (error) reject(agentError(error, call));
      else if (response === undefined) reject(new Error(`${call.method} gave no response`));
      else {
        connection.heard();
        resolve(response);
      }
    });
  });
}
