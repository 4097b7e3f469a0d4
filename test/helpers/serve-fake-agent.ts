import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { toServiceError } from '@sampan/agent/server/service-error.ts';
import type { ActivateEvent } from '@sampan/shared/gen/sampan/agent/v1/ActivateEvent.ts';
import type { ActivateRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/ActivateRequest.ts';
import type { ReadLogChunk } from '@sampan/shared/gen/sampan/agent/v1/ReadLogChunk.ts';
import type { ReadLogRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/ReadLogRequest.ts';
import type { StageEvent } from '@sampan/shared/gen/sampan/agent/v1/StageEvent.ts';
import type { StageRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/StageRequest.ts';
import { loadProto } from '@sampan/shared/load-proto.ts';

/** What a streaming method does: write events, then return, or throw the failure. Never settling keeps the call open. */
type Streaming<Request, Event> = (request: Request, write: (event: Event) => void) => Promise<void> | void;
type Unary = (request: Record<string, unknown>) => unknown;

/** The methods of a fake agent. What is not given succeeds. */
export interface FakeMethods {
  stage?: Streaming<StageRequest__Output, StageEvent>;
  activate?: Streaming<ActivateRequest__Output, ActivateEvent>;
  readLog?: Streaming<ReadLogRequest__Output, ReadLogChunk>;
  cancelOperation?: Unary;
  getOperation?: Unary;
  getCurrentVersion?: Unary;
  getStatus?: Unary;
  writeProgramConfig?: Unary;
}

export interface FakeAgent {
  /** As it is written in `server_list`. */
  host: string;
  port: number;
  /** Every call so far, in order. */
  calls: { method: string; request: Record<string, unknown> }[];
  /** Resolves with the nth call (from 1) of a method, past or to come. */
  called(method: string, nth?: number): Promise<Record<string, unknown>>;
  /** Ends the process, as far as a client can tell: every connection breaks, and the port refuses. */
  kill(): Promise<void>;
}

const release = { release: 'app', version: 'app', sha256: '', bytes: 1, entries: 1, reused: false };
const activated = { version: 'app', previousVersion: '', unchanged: false, programs: [] };

/**
 * A real gRPC server with the agent's service, whose methods do what a test says: for faults that a real agent cannot be made
 * to show, and for many of them in one process. Whoever starts it kills it.
 */
export async function serveFakeAgent(
  methods: FakeMethods = {},
  { address = '127.0.0.1', port = 0 } = {},
): Promise<FakeAgent> {
  const calls: FakeAgent['calls'] = [];
  const waiting = new Set<() => void>();
  const record = (method: string, request: unknown) => {
    calls.push({ method, request: request as Record<string, unknown> });
    for (const look of waiting) look();
  };
  const server = new Server({ 'grpc.max_connection_age_ms': 2 ** 31 - 1 });
  server.addService(loadProto().types.sampan.agent.v1.Agent.service, serviceOf(methods, record));
  const bound = await new Promise<number>((resolve, reject) => {
    const at = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    server.bindAsync(at, ServerCredentials.createInsecure(), (error, got) => (error ? reject(error) : resolve(got)));
  });
  const kill = async () => server.forceShutdown();
  return {
    host: address.includes(':') ? `[${address}]:${bound}` : `${address}:${bound}`,
    port: bound,
    calls,
    kill,
    called: (method, nth = 1) =>
      new Promise((resolve) => {
        const look = () => {
          const found = calls.filter((call) => call.method === method)[nth - 1];
          if (!found) return;
          waiting.delete(look);
          resolve(found.request);
        };
        waiting.add(look);
        look();
      }),
  };
}

function serviceOf(
  methods: FakeMethods,
  record: (method: string, request: unknown) => void,
): UntypedServiceImplementation {
  const streaming =
    <Request, Event>(method: string, run: Streaming<Request, Event>) =>
    async (call: ServerWritableStream<Request, Event>) => {
      record(method, call.request);
      try {
        await run(call.request, (event) => call.write(event));
        call.end();
      } catch (error) {
        call.emit('error', toServiceError(error));
      }
    };
  const unary =
    (method: string, run: Unary) =>
    async (
      call: ServerUnaryCall<Record<string, unknown>, unknown>,
      done: (error: unknown, answer?: unknown) => void,
    ) => {
      record(method, call.request);
      try {
        done(null, await run(call.request));
      } catch (error) {
        done(toServiceError(error));
      }
    };
  return {
    Stage: streaming('Stage', methods.stage ?? ((_request, write) => write({ result: release }))),
    Activate: streaming('Activate', methods.activate ?? ((_request, write) => write({ result: activated }))),
    ReadLog: streaming('ReadLog', methods.readLog ?? ((_request, write) => write({ text: 'A\nb\n' }))),
    CancelOperation: unary('CancelOperation', methods.cancelOperation ?? (() => ({ outcome: 'finished' }))),
    GetOperation: unary('GetOperation', methods.getOperation ?? (() => ({ stage: '', activate: '' }))),
    GetCurrentVersion: unary('GetCurrentVersion', methods.getCurrentVersion ?? (() => ({ version: 'app' }))),
    GetStatus: unary('GetStatus', methods.getStatus ?? (() => ({ version: '0.1.0', ready: true }))),
    WriteProgramConfig: unary('WriteProgramConfig', methods.writeProgramConfig ?? (() => ({ path: '/etc/app.ini' }))),
  } as UntypedServiceImplementation;
}
