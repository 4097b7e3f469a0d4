import type { DeployError } from '@sampan/shared/errors.ts';
import type { CallListener, GrpcCall } from '../grpc/grpc-call.ts';
import type { GrpcSession } from '../grpc/grpc-session.ts';
import { AgentLoss } from './agent-loss.ts';

/** One connection with one agent. It is used while it is up and replaced when it is not. */
export class AgentConnection {
  readonly #session: GrpcSession;
  readonly #refusal: () => DeployError | undefined;
  #heardAtMs = performance.now();
  #cutBecause: DeployError | undefined;

  /** `refusal` says why the peer may not be spoken to any more; undefined: it may. */
  constructor(session: GrpcSession, refusal: () => DeployError | undefined) {
    this.#session = session;
    this.#refusal = refusal;
  }

  /** Aborted once it takes no more calls: lost, idle for ten minutes, told to go away, or closed. Running calls end by themselves. */
  get ended(): AbortSignal {
    return this.#session.ended;
  }

  /** Why the peer was found not to be welcome any more. Calls that ran were ended with that. */
  get cutBecause(): DeployError | undefined {
    return this.#cutBecause;
  }

  /** Whether calls run. They may, after it was closed. */
  get isBusy(): boolean {
    return this.#session.isBusy;
  }

  get silentMs(): number {
    return performance.now() - this.#heardAtMs;
  }

  /** To be called when the agent has said something: milliseconds since then decide whether it is asked for a sign of life. */
  heard(): void {
    this.#heardAtMs = performance.now();
  }

  /** Begins a call of the method at `path`. @throws AgentLoss when it takes no more calls. */
  call(path: string, listener: CallListener, timeoutMs: number): GrpcCall {
    try {
      return this.#session.call(path, listener, timeoutMs);
    } catch (cause) {
      throw new AgentLoss('ECONNRESET', cause);
    }
  }

  /** Whether the peer may still be spoken to. Where not, the connection is cut. */
  isWelcome(): boolean {
    this.#cutBecause ??= this.#refusal();
    if (this.#cutBecause === undefined) return true;
    this.close();
    this.#session.cancelAll(this.#cutBecause);
    return false;
  }

  /** Takes no more calls; those that run may finish. */
  close(): void {
    this.#session.close();
  }
}
