import { type ClientReadableStream, credentials } from '@grpc/grpc-js';
import type { AgentClient } from '@sampan/shared/gen/sampan/agent/v1/Agent.ts';
import type { Progress__Output } from '@sampan/shared/gen/sampan/agent/v1/Progress.ts';
import { loadProto } from '@sampan/shared/load-proto.ts';

const DEADLINE_MS = 10 * 60_000;

/** One release to bring to an agent. */
export interface ReleaseOrder {
  operationId: string;
  url: string;
  filename: string;
}

/** Milliseconds of each step that the agent told of, by name. */
export type StepTimes = Record<string, number>;

/** Talks to one agent as a controller does, over one channel that stays open. */
export class ReleaseClient implements Disposable {
  readonly #client: AgentClient;

  constructor(host: string) {
    this.#client = new (loadProto().types.sampan.agent.v1.Agent)(host, credentials.createInsecure());
  }

  /** Stages and activates. */
  async deploy(order: ReleaseOrder, signal: AbortSignal): Promise<StepTimes> {
    const { release, steps } = await this.stage(order, signal);
    const request = { operationId: order.operationId, target: TARGET, release, autoRollback: true };
    const events = await read(this.#client.activate(request, options()), signal);
    return { ...steps, ...named('activate', stepTimes(events)) };
  }

  /** Makes a release present, and no more. */
  async stage(
    { operationId, url, filename }: ReleaseOrder,
    signal: AbortSignal,
  ): Promise<{ release: string; steps: StepTimes }> {
    const request = { operationId, target: TARGET, fileUrl: url, filename };
    const events = await read(this.#client.stage(request, options()), signal);
    const release = events.at(-1)?.result?.release;
    if (release === undefined) throw new Error(`${operationId}: the stream ended without a result`);
    return { release, steps: named('stage', stepTimes(events)) };
  }

  /** Resolves with the number of characters that came. */
  async readLog(projectName: string, lines: number, signal: AbortSignal): Promise<number> {
    const request = { projectName, language: 'php', logname: 'info.log', lines, maxBytes: 64 * 1024 * 1024 };
    const chunks = await read(this.#client.readLog(request, options()), signal);
    return chunks.reduce((length, { text }) => length + text.length, 0);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

const TARGET = { projectName: 'bench', linkName: 'bench', language: 'php' };

function options() {
  return { deadline: Date.now() + DEADLINE_MS };
}

async function read<Event>(stream: ClientReadableStream<Event>, signal: AbortSignal): Promise<Event[]> {
  const cancel = () => stream.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return (await stream.toArray()) as Event[];
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** An agent tells whole milliseconds: 0 is anything below a half, and is taken for that. */
const LEAST_MS = 0.5;

function stepTimes(events: readonly { progress?: Progress__Output | null }[]): StepTimes {
  const finished = events.flatMap(({ progress }) => (progress?.state === 'finished' ? [progress] : []));
  return Object.fromEntries(finished.map(({ step, elapsedMs }) => [step, Math.max(LEAST_MS, elapsedMs)]));
}

function named(phase: string, steps: StepTimes): StepTimes {
  return Object.fromEntries(Object.entries(steps).map(([step, ms]) => [`${phase}.${step}`, ms]));
}
