import type { AnswerOf } from '@sampan/shared/agent-definition.ts';
import type { AgentConnection } from './agent-connection.ts';
import { AgentLoss } from './agent-loss.ts';
import type { UnaryMethod } from './agent-methods.ts';
import { type AgentCall, sendRequest } from './start-call.ts';

/** Makes a call with one answer. @throws as `AnswerListener.onEnd` is told. */
export function callAgent<Name extends UnaryMethod>(
  connection: AgentConnection,
  call: AgentCall<Name>,
  caller: AbortSignal,
): Promise<AnswerOf<Name>> {
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
    sendRequest(connection, { ...call, caller }, listener);
  });
}
