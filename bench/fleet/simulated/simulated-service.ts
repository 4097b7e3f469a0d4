import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import type { Identity } from '@sampan/agent/identity/identity.ts';
import { toServiceError } from '@sampan/agent/server/service-error.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import type { ActivateResult } from '@sampan/shared/gen/sampan/agent/v1/ActivateResult.ts';
import type { AgentHandlers } from '@sampan/shared/gen/sampan/agent/v1/Agent.ts';
import type { Progress } from '@sampan/shared/gen/sampan/agent/v1/Progress.ts';
import type { StageResult } from '@sampan/shared/gen/sampan/agent/v1/StageResult.ts';
import type { Target__Output } from '@sampan/shared/gen/sampan/agent/v1/Target.ts';
import { versionOf } from '@sampan/shared/names.ts';
import { VERSION } from '@sampan/shared/version.ts';

/** The steps that an agent tells of when it deploys a small php release. */
const STAGE_STEPS = ['check', 'compare', 'download', 'sync', 'promote'];
const ACTIVATE_STEPS = ['check', 'flip'];
const RELEASE_BYTES = 200_000;
const RELEASE_ENTRIES = 135;
const DISK_BYTES = 100 * 1024 ** 3;

/** grpc.health.v1.Health, of which a controller asks one thing: whether anybody is there. */
export const HEALTH = {
  definition: {
    Check: {
      path: '/grpc.health.v1.Health/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: (bytes: Buffer) => bytes,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Buffer) => bytes,
      responseDeserialize: (bytes: Buffer) => bytes,
    },
  },
  // HealthCheckResponse with status 1, SERVING.
  implementation: { Check: unary(() => Buffer.from([0x08, 0x01])) },
} as const;

/** What an agent says to a controller that deploys, asks and looks. Nothing is downloaded, nothing reaches a disk: it answers at once. */
export function simulatedService(host: string, identity: Identity): AgentHandlers {
  const links = new Map<string, string>();
  return {
    Stage: streaming(({ filename }) => [...told(STAGE_STEPS), { result: staged(versionOf(filename)) }]),
    Activate: streaming(({ target, release, version }) => {
      const link = linkOf(target);
      const before = links.get(link) ?? '';
      const now = release || version || '';
      links.set(link, now);
      return [...told(ACTIVATE_STEPS), { result: activated(now, before) }];
    }),
    CancelOperation: unary(() => ({ outcome: 'finished' })),
    GetOperation: unary(({ operationId }) => {
      throw new DeployError('OPERATION_UNKNOWN', { operationId });
    }),
    Remove: unary(() => ({})),
    ListReleases: unary(() => ({})),
    GetCurrentVersion: unary(({ target }) => {
      const version = links.get(linkOf(target));
      if (version === undefined) return { version: 'first', linkTarget: '.deploy/first' };
      return { version, linkTarget: `.deploy/${version}` };
    }),
    GetRunningVersion: unary(({ target }) => ({ version: links.get(linkOf(target)) ?? 'first' })),
    WriteProgramConfig: unary(({ projectName }) => ({ path: `/etc/supervisor/conf.d/${projectName}.conf` })),
    ReadLog: streaming(() => [{ text: 'one line\n' }]),
    CheckHealth: unary(() => ({ ok: true })),
    GetStatus: unary(() => statusOf(host, identity)),
    RenewCertificate: unary(() => ({})),
    UpgradeAgent: (_call, done) => done(null, { version: VERSION }),
  };
}

function told(steps: readonly string[]): { progress: Progress }[] {
  return steps.flatMap((step) => [
    { progress: { step, state: 'started' } },
    { progress: { step, state: 'finished', elapsedMs: 1 } },
  ]);
}

function staged(version: string): StageResult {
  return {
    release: version,
    version,
    sha256: ''.padEnd(64, '0'),
    bytes: RELEASE_BYTES,
    entries: RELEASE_ENTRIES,
    reused: false,
  };
}

function activated(version: string, before: string): ActivateResult {
  return { version, previousVersion: before, previousRelease: before, unchanged: version === before, programs: [] };
}

function linkOf(target: Target__Output | null): string {
  return `${target?.projectName}/${target?.linkName}`;
}

/** As long as that of an agent with a base of each language and a supervisor. */
function statusOf(host: string, identity: Identity) {
  const found = ['journal', 'directory /opt/service', 'directory /opt', 'disk /opt/service', 'disk /opt', 'supervisor'];
  return {
    version: VERSION,
    agentId: host,
    ready: true,
    checks: [...found, 'clock'].map((name) => ({ name, ok: true, detail: `${name} is as it should be` })),
    freeBytes: DISK_BYTES / 2,
    totalBytes: DISK_BYTES,
    runningOperations: 0,
    certificateExpiresAtMs: identity.expiresAt.getTime(),
  };
}

function unary<Request, Response>(answer: (request: Request) => Response) {
  return ({ request }: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>): void => {
    try {
      done(null, answer(request));
    } catch (error) {
      done(toServiceError(error));
    }
  };
}

function streaming<Request, Event>(events: (request: Request) => Event[]) {
  return (call: ServerWritableStream<Request, Event>): void => {
    for (const event of events(call.request)) call.write(event);
    call.end();
  };
}
