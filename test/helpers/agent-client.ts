import type { SecureContext } from 'node:tls';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import type { ActivateRequest } from '@sampan/shared/gen/sampan/agent/v1/ActivateRequest.ts';
import type { ActivateResult__Output } from '@sampan/shared/gen/sampan/agent/v1/ActivateResult.ts';
import type { AgentClient } from '@sampan/shared/gen/sampan/agent/v1/Agent.ts';
import type { Progress__Output } from '@sampan/shared/gen/sampan/agent/v1/Progress.ts';
import type { StageRequest } from '@sampan/shared/gen/sampan/agent/v1/StageRequest.ts';
import type { StageResult__Output } from '@sampan/shared/gen/sampan/agent/v1/StageResult.ts';
import { AGENT_SERVER_NAME } from '@sampan/shared/identity/identity-names.ts';
import { loadProto } from '@sampan/shared/load-proto.ts';
import { fromServiceError } from './from-service-error.ts';

interface Events<Result> {
  on(event: 'data', listener: (data: { progress?: Progress__Output | null; result?: Result | null }) => void): this;
  on(event: 'error', listener: (error: ServiceError) => void): this;
  on(event: 'end', listener: () => void): this;
}

/** What a streamed call told: its progress and its result. */
export interface Told<Result> {
  progress: Progress__Output[];
  result: Result;
}

/** A plain gRPC client of one agent, for tests. Failures reject with the DeployError that was sent. */
export class TestAgentClient {
  readonly raw: AgentClient;

  /** With a context, under TLS; whose certificate the agent shows is not looked at. */
  constructor(host: string, context?: SecureContext) {
    const { Agent } = loadProto().types.sampan.agent.v1;
    const channel = context
      ? credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined })
      : credentials.createInsecure();
    this.raw = new Agent(host, channel, { 'grpc.ssl_target_name_override': AGENT_SERVER_NAME });
  }

  stage(request: StageRequest): Promise<Told<StageResult__Output>> {
    return collect(this.raw.stage(request));
  }

  activate(request: ActivateRequest): Promise<Told<ActivateResult__Output>> {
    return collect(this.raw.activate(request));
  }

  /** Any unary method, by its name. */
  call<Request, Response>(method: keyof AgentClient, request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      const answer = (error: ServiceError | null, response: Response) =>
        error ? reject(fromServiceError(error) ?? error) : resolve(response);
      (this.raw[method] as (request: Request, callback: typeof answer) => void).call(this.raw, request, answer);
    });
  }

  close(): void {
    this.raw.close();
  }
}

function collect<Result>(stream: Events<Result>): Promise<Told<Result>> {
  return new Promise((resolve, reject) => {
    const progress: Progress__Output[] = [];
    let result: Result | undefined;
    stream
      .on('data', (event) => {
        if (event.progress) progress.push(event.progress);
        if (event.result) result = event.result;
      })
      .on('error', (error) => reject(fromServiceError(error) ?? error))
      .on('end', () =>
        result === undefined ? reject(new Error('ended without a result')) : resolve({ progress, result }),
      );
  });
}
