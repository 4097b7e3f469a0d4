import type { AnswerOf, MethodName, RequestOf } from '@sampan/shared/agent-definition.ts';
import type { GrpcCall } from '../grpc/grpc-call.ts';
import { GrpcFailure } from '../grpc/grpc-status.ts';
import type { AgentConnection } from './agent-connection.ts';
import { agentError } from './agent-loss.ts';
import { methodOf } from './agent-methods.ts';
import { onAbort } from './on-abort.ts';

/** A method, and how long it may take in all. */
export interface CallOf<Name extends MethodName> {
  method: Name;
  timeoutMs: number;
  /** Aborted, it gives the call up, and nothing but that: what was begun at the agent goes on. */
  caller?: AbortSignal;
}

/** A call that is sent one request. */
export interface AgentCall<Name extends MethodName> extends Omit<CallOf<Name>, 'caller'> {
  request: RequestOf<Name>;
  /** Comes before the agent is sent anything, unless nothing ever will be. */
  onStarted?(): void;
}

export interface AnswerListener<Name extends MethodName> {
  /** What it throws ends the call. */
  onAnswer(answer: AnswerOf<Name>): void;
  /**
   * Once, after the last answer. Undefined: it has succeeded; else DeployError as the agent sent it, AGENT_CONNECT_TIMEOUT when it does
   * not end in time, CERTIFICATE_REFUSED when the agent's identity ends meanwhile; AgentLoss when the connection breaks; what
   * `onAnswer` threw; what `caller` was aborted with, after the call was given up on this side.
   */
  onEnd(error: unknown): void;
}

/** Begins a call, which waits to be sent its request. @throws AgentLoss when the connection has ended; what `caller` was aborted with. */
export function startCall<Name extends MethodName>(
  connection: AgentConnection,
  { method, timeoutMs, caller }: CallOf<Name>,
  listener: AnswerListener<Name>,
): GrpcCall {
  caller?.throwIfAborted();
  const { path } = methodOf(method);
  const onMessage = (message: Buffer) => {
    connection.heard();
    listener.onAnswer(read(method, message));
  };
  const onEnd = (failure: unknown) => {
    stopListening?.();
    listener.onEnd(failure instanceof GrpcFailure ? agentError(failure, { method, timeoutMs }) : failure);
  };
  const call = connection.call(path, { onMessage, onEnd }, timeoutMs);
  const stopListening = caller && onAbort(caller, () => call.cancel(caller.reason));
  return call;
}

/** Begins a call and sends its request. @throws as `startCall`. */
export function sendRequest<Name extends MethodName>(
  connection: AgentConnection,
  call: AgentCall<Name> & { caller: AbortSignal },
  listener: AnswerListener<Name>,
): GrpcCall {
  const request = methodOf(call.method).requestSerialize(call.request);
  const started = startCall(connection, call, listener);
  call.onStarted?.();
  started.finish(request);
  return started;
}

/** What cannot be read says nothing of what the agent did: that is a loss, as if it had not come. */
function read<Name extends MethodName>(method: Name, message: Buffer): AnswerOf<Name> {
  try {
    return methodOf(method).responseDeserialize(message);
  } catch (cause) {
    throw new GrpcFailure('INTERNAL', 'an answer that cannot be read', { cause });
  }
}
