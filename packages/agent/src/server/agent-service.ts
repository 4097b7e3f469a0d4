import type {
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  ServerReadableStream,
  ServerWritableStream,
} from '@grpc/grpc-js';
import { DeployError } from '@sampan/shared/errors.ts';
import type { AgentHandlers } from '@sampan/shared/gen/sampan/agent/v1/Agent.ts';
import type { Logger } from '@sampan/shared/logger.ts';
import type { OperationRun } from '../operations/operation-run.ts';
import { errorOf } from '../operations/operations.ts';
import type { AgentCore } from './agent-core.ts';
import { activate } from './handlers/activate.ts';
import { checkHealth } from './handlers/check-health.ts';
import { cancelOperation, getOperation } from './handlers/operations.ts';
import { readLogOf } from './handlers/read-log.ts';
import { getCurrentVersion, listReleasesOf, remove } from './handlers/releases.ts';
import { renewCertificate } from './handlers/renew-certificate.ts';
import { getRunningVersion } from './handlers/running-version.ts';
import { stage } from './handlers/stage.ts';
import { getStatus } from './handlers/status.ts';
import { upgradeAgent } from './handlers/upgrade-agent.ts';
import { writeProgramConfig } from './handlers/write-program-config.ts';
import { toServiceError } from './service-error.ts';
import { write } from './write-stream.ts';

/** Every method of the service, bound to one agent. */
export function agentService(core: AgentCore): AgentHandlers {
  const { log } = core.services;
  return {
    Stage: streaming(core, async (call, signal) => {
      await tell({ call, signal }, await stage(core, call.request), (result) => ({ result }));
    }),
    Activate: streaming(core, async (call, signal) => {
      await tell({ call, signal }, await activate(core, call.request), (result) => ({ result }));
    }),
    CancelOperation: unary(log, (request) => cancelOperation(core, request)),
    GetOperation: unary(log, (request) => getOperation(core, request)),
    Remove: unary(log, (request) => remove(core, request)),
    ListReleases: unary(log, (request) => listReleasesOf(core, request)),
    GetCurrentVersion: unary(log, (request) => getCurrentVersion(core, request)),
    WriteProgramConfig: unary(log, (request) => writeProgramConfig(core, request)),
    ReadLog: streaming(core, async (call, signal) => {
      for await (const chunk of readLogOf(core, call.request, signal)) await write(call, chunk, signal);
    }),
    CheckHealth: unary(log, (request, signal) => checkHealth(core, request, signal)),
    GetRunningVersion: unary(log, (request) => getRunningVersion(core, request)),
    GetStatus: unary(log, () => getStatus(core)),
    RenewCertificate: unary(log, (request) => renewCertificate(core, request)),
    UpgradeAgent: receiving(log, (call, signal) => upgradeAgent(core, call, signal)),
  };
}

/** `signal` aborts when the caller has gone away: most answers come too soon to ask for it. */
function unary<Request, Response>(
  log: Logger,
  handle: (request: Request, signal: AbortSignal) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort(new DeployError('OPERATION_CANCELLED', {})));
    Promise.try(handle, call.request, gone.signal).then(
      (response) => callback(null, response),
      (error: unknown) => callback(serviceError(log, call.getPath(), error)),
    );
  };
}

function receiving<Request, Response>(
  log: Logger,
  handle: (call: ServerReadableStream<Request, Response>, signal: AbortSignal) => Promise<Response>,
): handleClientStreamingCall<Request, Response> {
  return (call, callback) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    handle(call, gone.signal).then(
      (response) => callback(null, response),
      (error: unknown) => callback(serviceError(log, call.getPath(), error)),
    );
  };
}

/** Only calls that stream move much memory. */
function streaming<Request, Response>(
  { services: { log }, idleMemory }: AgentCore,
  handle: (call: ServerWritableStream<Request, Response>, signal: AbortSignal) => Promise<void>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    handle(call, gone.signal)
      .then(
        () => call.end(),
        (error: unknown) => {
          // A caller that went away is told nothing more.
          if (!gone.signal.aborted) call.emit('error', serviceError(log, call.getPath(), error));
        },
      )
      .finally(() => idleMemory.stirred());
  };
}

type Result<K extends 'staged' | 'activated'> = Extract<NonNullable<OperationRun['outcome']>, { kind: K }>['result'];

/** Streams a run's progress and its outcome. The run goes on when the caller does not. */
async function tell<Request, Response>(
  { call, signal }: { call: ServerWritableStream<Request, Response>; signal: AbortSignal },
  run: OperationRun,
  wrap: (result: Result<'staged'> & Result<'activated'>) => Response,
): Promise<void> {
  for await (const progress of run.watch(signal)) await write(call, { progress } as Response, signal);
  const { outcome } = run;
  if (!outcome) throw new Error(`operation ${run.operationId} ended without an outcome`);
  if (outcome.kind === 'failed') throw errorOf(outcome);
  await write(call, wrap(outcome.result as Result<'staged'> & Result<'activated'>), signal);
}

function serviceError(log: Logger, method: string, error: unknown): ReturnType<typeof toServiceError> {
  if (!DeployError.is(error) || error.code === 'INTERNAL') log.error({ err: error, method }, 'call failed');
  return toServiceError(error);
}
