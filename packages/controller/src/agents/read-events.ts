import type { CallOptions, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { AgentConnection } from './agent-connection.ts';
import { AgentLoss, agentError } from './agent-loss.ts';
import { abortReason, onAbort } from './on-abort.ts';

/** One streaming call. `start` sends it, as `(client, options) => client.stage(request, options)`. */
export interface StreamingCall<Event> {
  method: string;
  timeoutMs: number;
  start(client: AgentConnection['client'], options: CallOptions): ClientReadableStream<Event>;
  onEvent(event: Event): void;
}

/**
 * Makes a streaming call and reads it to its end.
 * @throws DeployError as the agent sent it, AGENT_CONNECT_TIMEOUT when it does not end in time; AgentLoss when the connection
 * breaks; what `onEvent` threw; CERTIFICATE_REFUSED when the agent's identity ends meanwhile; what `caller` was aborted with, after the call was given up on this side (which cancels nothing at the agent).
 */
export function readEvents<Event>(
  connection: AgentConnection,
  call: StreamingCall<Event>,
  caller: AbortSignal,
): Promise<void> {
  const signals = [caller, connection.cut];
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signals, () => stream.cancel());
    if (connection.ended.aborted) {
      stopListening();
      throw new AgentLoss('ECONNRESET');
    }
    const stream = call.start(connection.client, { deadline: Date.now() + call.timeoutMs });
    // However it ends.
    stream.on('close', connection.begin());
    stream.on('data', (event: Event) => {
      connection.heard();
      try {
        call.onEvent(event);
      } catch (error) {
        // What an agent sends must not end this process.
        stopListening();
        reject(error);
        stream.cancel();
      }
    });
    stream.on('end', () => {
      stopListening();
      resolve();
    });
    stream.on('error', (error: ServiceError) => {
      stopListening();
      const aborted = abortReason(signals);
      reject(aborted ? aborted.reason : agentError(error, call));
    });
  });
}
