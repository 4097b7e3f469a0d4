import type { AnswerOf, RequestOf } from '@sampan/shared/agent-definition.ts';
import type { AgentConnection } from './agent-connection.ts';
import { AgentLoss } from './agent-loss.ts';
import { methodOf, type UnaryMethod } from './agent-methods.ts';
import { type CallOf, startCall } from './start-call.ts';

/** One call with one answer. */
export interface UnaryCall<Name extends UnaryMethod> extends Omit<CallOf<Name>, 'caller'> {
  request: RequestOf<Name>;
}

/** Makes a unary call. @throws as `AnswerListener.onEnd` is told. */
export function callAgent<Name extends UnaryMethod>(
  connection: AgentConnection,
  call: UnaryCall<Name>,
  caller: AbortSignal,
): Promise<AnswerOf<Name>> {
  const request = methodOf(call.method).requestSerialize(call.request);
  return new Promise((resolve, reject) => {
    let answer: AnswerOf<Name> | undefined;
    const listener = {
      onAnswer(told: AnswerOf<Name>) {
        if (answer !== undefined) throw new AgentLoss('EPROTO');
        answer = told;
      },
      onEnd(error: unknown) {
        if (error !== undefined) reject(error);
        else if (answer === undefined) reject(new AgentLoss('EPROTO'));
        else resolve(answer);
      },
    };
    startCall(connection, { ...call, caller }, listener).finish(request);
  });
}
