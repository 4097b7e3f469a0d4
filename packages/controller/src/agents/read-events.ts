import type { AnswerOf, RequestOf } from '@sampan/shared/agent-definition.ts';
import type { AgentConnection } from './agent-connection.ts';
import { methodOf, type StreamingMethod } from './agent-methods.ts';
import { type CallOf, startCall } from './start-call.ts';

/** One call with a stream of answers. */
export interface StreamingCall<Name extends StreamingMethod> extends Omit<CallOf<Name>, 'caller'> {
  request: RequestOf<Name>;
}

/**
 * Makes a streaming call and reads it to its end. Given up by `caller`, nothing is cancelled at the agent. `onStarted` comes before the
 * agent is sent anything, unless nothing ever will be.
 * @throws as `AnswerListener.onEnd` is told.
 */
export function readEvents<Name extends StreamingMethod>(
  connection: AgentConnection,
  call: StreamingCall<Name> & { onStarted?(): void; onEvent(event: AnswerOf<Name>): void },
  caller: AbortSignal,
): Promise<void> {
  const request = methodOf(call.method).requestSerialize(call.request);
  return new Promise((resolve, reject) => {
    const listener = {
      onAnswer: call.onEvent,
      onEnd: (error: unknown) => (error === undefined ? resolve() : reject(error)),
    };
    const started = startCall(connection, { ...call, caller }, listener);
    call.onStarted?.();
    started.finish(request);
  });
}

/** The same, read no faster than it is taken: what waits, waits at the agent. Left early, the call is given up. */
export async function* readSlowly<Name extends StreamingMethod>(
  connection: AgentConnection,
  call: StreamingCall<Name>,
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
  const started = startCall(connection, { ...call, caller }, listener);
  started.finish(methodOf(call.method).requestSerialize(call.request));
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
