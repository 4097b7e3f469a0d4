import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startTimeOf } from '@sampan/agent/host/kill-process.ts';
import type { GetOperationResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/GetOperationResponse.ts';
import type { HealthCheck } from '@sampan/shared/gen/sampan/agent/v1/HealthCheck.ts';
import type { Progress__Output } from '@sampan/shared/gen/sampan/agent/v1/Progress.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Activation, DeployingHost, targetOf } from '../../../helpers/deploying-host.ts';
import { startFullListener } from '../../../helpers/full-listener.ts';

const PATIENT = { intervalMs: 1, timeoutMs: 60_000, deadlineMs: 60_000 };
/** One attempt: the next would come after the deadline. */
const ONCE = { intervalMs: 60_000, timeoutMs: 30_000, deadlineMs: 30_000 };
const ACTIVATED = { version: 'new', previousVersion: 'old', unchanged: false };

let host: DeployingHost;
/** Of this test, with the id of its deploy and the release on the disk that this is to make current. */
let link: string;
let operationId: string;
let release: string;
let tests = 0;

beforeAll(async () => {
  host = await DeployingHost.start();
});

beforeEach(async () => {
  tests += 1;
  link = `web-${tests}`;
  operationId = `op-${tests}`;
  await host.deploy(link, 'old');
});

afterAll(() => host?.[Symbol.asyncDispose]());

/** Deploys `new`, and resolves once its health is being checked. */
async function checking(healthCheck: HealthCheck, more: Activation = {}): Promise<void> {
  release = await host.stage(link, 'new', operationId);
  const call = host.client.raw.activate({
    operationId,
    target: targetOf(link),
    release,
    autoRollback: true,
    healthCheck,
    ...more,
  });
  // Its end is asked for under the same id.
  call.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    call.on('data', ({ progress }: { progress?: Progress__Output }) => {
      if (progress?.step === 'health_check') resolve();
    });
  });
}

/** What the same call is told now, or once it has come to its end. */
const toldAgain = (healthCheck: HealthCheck, more: Activation = {}) =>
  host.activate(link, release, { operationId, healthCheck, ...more });

const activateOf = async () =>
  (await host.client.call<unknown, GetOperationResponse__Output>('GetOperation', { operationId })).activate;

const ILL = { code: 'HEALTH_CHECK_FAILED', aftermath: { current: 'old', reverted: true } };

/** A check that hangs, and what makes it answer well from then on. */
interface Hanging {
  healthCheck: HealthCheck;
  recover: () => unknown;
}

const hanging: Record<string, () => Hanging | Promise<Hanging>> = {
  http: () => ({
    healthCheck: { ...PATIENT, http: { url: host.origin.serve('/health', { silent: true }) } },
    recover: () => host.origin.serve('/health', { status: 200 }),
  }),
  tcp: async () => {
    const full = await startFullListener();
    const server = createServer();
    onTestFinished(async () => {
      await full.close();
      server.close();
    });
    return {
      healthCheck: { ...PATIENT, tcp: { address: `127.0.0.1:${full.port}` } },
      async recover() {
        await full.close();
        await once(server.listen(full.port, '127.0.0.1'), 'listening');
      },
    };
  },
  command: () => ({
    healthCheck: { ...PATIENT, command: { argv: ['sh', '-c', `test -e ${host.marks}/well || sleep 600`] } },
    recover: () => writeFileSync(join(host.marks, 'well'), ''),
  }),
};

describe('an agent that is killed during a check', () => {
  it.each(Object.keys(hanging))('by %s has flipped, and goes on with it by itself when it is back', async (kind) => {
    const { healthCheck, recover } = await hanging[kind]!();
    await checking(healthCheck);
    await host.stopAgent('SIGKILL');
    expect(host.current(link)).toBe('new');
    await recover();
    await host.startAgent();
    await expect.poll(activateOf).toBe('succeeded');
    expect((await toldAgain(healthCheck)).result).toMatchObject(ACTIVATED);
    expect(host.current(link)).toBe('new');
  });

  it.each([
    ['goes back to the release before', true, 'old'],
    ['stays on the new one where going back was not wanted', false, 'new'],
  ])(
    '%s, once it is back, where the release turns out to be ill, and tells who asks',
    async (_, autoRollback, current) => {
      const asked = host.origin.hang('/health');
      const healthCheck = { ...ONCE, http: { url: `${host.origin.url}/health` } };
      await checking(healthCheck, { autoRollback });
      await asked;
      await host.stopAgent('SIGKILL');
      expect(host.current(link)).toBe('new');
      host.origin.serve('/health', { status: 503 });
      await host.startAgent();
      await expect(toldAgain(healthCheck, { autoRollback })).rejects.toMatchObject({
        code: 'HEALTH_CHECK_FAILED',
        params: { found: 'status 503', attempts: 1 },
        aftermath: { current, reverted: autoRollback },
      });
      expect(host.current(link)).toBe(current);
    },
  );

  const mark = () => join(host.marks, link);
  const script = () => `echo $$ > ${mark()}; sleep 600 & echo $! >> ${mark()}; wait`;
  const pids = () => readFileSync(mark(), 'utf8').trim().split('\n').map(Number);
  const startTimes = () => Promise.all(pids().map(startTimeOf));
  const bothAreThere = () => expect.poll(() => existsSync(mark()) && pids().length).toBe(2);

  it('ends what is left of the command before it serves, with all that it started', async () => {
    const healthCheck = {
      ...PATIENT,
      command: { argv: ['sh', '-c', `test -e ${mark()} || { ${script()}; }`] },
    };
    await checking(healthCheck);
    await bothAreThere();
    await host.stopAgent('SIGKILL');
    expect(await startTimes()).not.toContain(undefined);
    await host.startAgent();
    expect(await startTimes()).toEqual([undefined, undefined]);
    expect((await toldAgain(healthCheck)).result).toMatchObject(ACTIVATED);
  });

  it('ends what is left of a look that no operation waits for, as while a wave bakes', async () => {
    const healthCheck = { ...PATIENT, command: { argv: ['sh', '-c', script()] } };
    host.client.raw.checkHealth({ target: targetOf(link), healthCheck }, () => undefined);
    await bothAreThere();
    await host.stopAgent('SIGKILL');
    expect(await startTimes()).not.toContain(undefined);
    await host.startAgent();
    expect(await startTimes()).toEqual([undefined, undefined]);
    expect(host.current(link)).toBe('old');
  });
});

describe('past the flip', () => {
  it.each([
    ['stays where it succeeds', 200, { told: { result: ACTIVATED }, current: 'new' }],
    ['goes back where it fails', 503, { told: ILL, current: 'old' }],
  ])('a release is too late to cancel while its health is checked: it %s', async (_, status, { told, current }) => {
    const asked = host.origin.hang('/health');
    const check = { intervalMs: 1, timeoutMs: 500, deadlineMs: 1_500, http: { url: `${host.origin.url}/health` } };
    await checking(check);
    await asked;
    expect(await host.client.call('CancelOperation', { operationId })).toEqual({ outcome: 'too_late' });
    host.origin.serve('/health', { status });
    expect(await toldAgain(check).catch((error: unknown) => error)).toMatchObject(told);
    expect(host.current(link)).toBe(current);
    expect(await host.client.call('CancelOperation', { operationId })).toEqual({ outcome: 'finished' });
  });

  it('an agent that is told to stop finishes the check first, and tells its outcome', async () => {
    const asked = host.origin.hang('/health');
    const check = { ...ONCE, timeoutMs: 500, http: { url: `${host.origin.url}/health` } };
    await checking(check);
    await asked;
    const told = toldAgain(check).catch((error: unknown) => error);
    const stopped = host.agent.stop('SIGTERM');
    expect(await told).toMatchObject({ ...ILL, params: { found: 'no answer within 0.5 s' } });
    expect(await stopped).toEqual({ code: 0, signal: null });
    expect(host.current(link)).toBe('old');
    await host.startAgent();
    await expect(toldAgain(check)).rejects.toMatchObject(ILL);
  });
});
