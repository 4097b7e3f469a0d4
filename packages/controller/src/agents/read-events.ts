import type { AnswerOf } from '@sampan/shared/agent-definition.ts';
import type { AgentConnection } from './agent-connection.ts';
import type { StreamingMethod } from './agent-methods.ts';
import { type AgentCall, sendRequest } from './start-call.ts';

/**
 * Makes a call with a stream of answers and reads it to its end. Given up by `caller`, nothing is cancelled at the agent.
 * @throws as `AnswerListener.onEnd` is told.
 */
export function readEvents<Name extends StreamingMethod>(
  connection: AgentConnection,
  call: AgentCall<Name> & { onEvent(event: AnswerOf<Name>): void },
  caller: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const listener = {
      onAnswer: call.onEvent,
      onEnd: (error: unknown) => (error === undefined ? resolve() : reject(error)),
    };
    sendRequest(connection, { ...call, caller }, listener);
  });
}

/** The same, read no faster than it is taken: what waits, waits at the agent. Left early, the call is given up. */
export async function* readSlowly<Name extends StreamingMethod>(
  connection: AgentConnection,
  call: AgentCall<Name>,
  caller: AbortSignal,
): AsyncGenerator<AnswerOf<Name>> {
  const events: AnswerOf<Name>[] = [];
  let end: { error: unknown } | undefined;
  let wake = (): void => undefined;
  const listener = {
    onAnswer(event: AnswerOf<Name>) {
      events.push(event);
      started.pause();
      wake();
    },
    onEnd(error: unknown) {
      end = { error };
      wake();
    },
  };
  const started = sendRequest(connection, { ...call, caller }, listener);
  try {
    for (;;) {
      for (let event = events.shift(); event !== undefined; event = events.shift()) yield event;
      if (end?.error !== undefined) throw end.error;
      if (end) return;
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      started.resume();
      await woken;
    }
  } finally {
    started.cancel(undefined);
  }
}
