import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { startTimeOf } from '@sampan/agent/host/kill-process.ts';
import { CertificateAuthority } from '@sampan/controller/identity/certificate-authority.ts';
import type { HealthCheck } from '@sampan/shared/gen/sampan/agent/v1/HealthCheck.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Activation, DeployingHost, targetOf } from '../../../helpers/deploying-host.ts';
import { startFullListener } from '../../../helpers/full-listener.ts';
import { requires } from '../../../helpers/requires.ts';
import { issueAgent } from '../../../helpers/test-identity.ts';

/** One attempt: the next would come after the deadline. */
const ONCE = { intervalMs: 60_000, deadlineMs: 10_000 };
/** One attempt that waits for nothing that comes later. */
const HASTY = { ...ONCE, timeoutMs: 300 };
/** The same for a command, which has to be started first. */
const HASTY_COMMAND = { ...ONCE, timeoutMs: 1_000 };

const NO_ANSWER = 'no answer within 0.3 s';
const ANY_STATUS = 'a status of 200 to 399';

let host: DeployingHost;
const closing: (() => unknown)[] = [];
const ports = { open: 0, full: 0, closed: 0, says101: 0, saysNonsense: 0, hangsUp: 0, https: 0 };

beforeAll(async () => {
  host = await DeployingHost.start();
  await host.deploy('web', 'new');
  await host.deploy('web', 'old');
  ports.open = await listening(createServer());
  ports.says101 = await listening(
    answering('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n'),
  );
  ports.saysNonsense = await listening(answering('SSH-2.0-OpenSSH_9.2\r\n'));
  ports.hangsUp = await listening(createServer((socket) => socket.once('data', () => socket.destroy())));
  const authority = await CertificateAuthority.create();
  const { key, certificate: cert } = await issueAgent(authority, ['198.51.100.7']);
  ports.https = await listening(createHttpsServer({ key, cert }, (_request, response) => response.end()));
  const full = await startFullListener();
  closing.push(() => full.close());
  ports.full = full.port;
  const closed = createServer();
  ports.closed = await listening(closed);
  closed.close();
  await once(closed, 'close');
  host.origin.serve('/well', { status: 200 });
  host.origin.serve('/empty', { status: 204 });
  host.origin.serve('/ill', { status: 503, body: 'no database' });
  host.origin.serve('/moved', { status: 302, headers: { location: `${host.origin.url}/elsewhere` } });
  host.origin.serve('/elsewhere', { status: 200 });
  host.origin.serve('/hangs', { silent: true });
  // Never at its end while the test runs.
  host.origin.serve('/trickles', { body: Buffer.alloc(10_000), trickle: { bytes: 1, everyMs: 20 } });
});

afterAll(async () => {
  await host?.[Symbol.asyncDispose]();
  for (const close of closing) await close();
});

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  closing.push(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function answering(text: string): Server {
  return createServer((socket) => socket.once('data', () => socket.write(text)).on('error', () => socket.destroy()));
}

const http = (path: string, more: HealthCheck & { status?: number } = {}): HealthCheck => {
  const { status = 0, ...times } = more;
  return { ...ONCE, http: { url: host.origin.url + path, status }, ...times };
};
const httpAt = (port: number): HealthCheck => ({ ...ONCE, http: { url: `http://127.0.0.1:${port}/` } });
const tcp = (address: string, more: HealthCheck = {}): HealthCheck => ({ ...ONCE, tcp: { address }, ...more });
const command = (...argv: string[]): HealthCheck => ({ ...ONCE, command: { argv } });
const shell = (script: string, more: HealthCheck = {}): HealthCheck => ({ ...command('sh', '-c', script), ...more });

let activations = 0;

/** Makes `new` current where `old` is, as a rollout that goes back to a release does: nothing is downloaded. */
function activateNew(more: Activation) {
  activations += 1;
  return host.activate('web', 'new', { operationId: `op-${activations}`, ...more });
}

beforeEach(async () => {
  activations += 1;
  if (host.current('web') !== 'old') await host.activate('web', 'old', { operationId: `op-${activations}` });
});

describe('a release stays current whose health check', () => {
  it.each<[string, () => HealthCheck]>([
    ['gets a status of 200 to 399', () => http('/well')],
    ['gets the very status that was asked for', () => http('/ill', { status: 503 })],
    ['gets a status whose body never ends', () => http('/trickles')],
    ['has no body to read', () => http('/empty', { status: 204 })],
    [
      'names a port by localhost',
      () => ({ ...ONCE, http: { url: `${host.origin.url.replace('127.0.0.1', 'LocalHost')}/well` } }),
    ],
    [
      'asks a server whose certificate is for another name',
      () => ({
        ...ONCE,
        http: { url: `https://127.0.0.1:${ports.https}/` },
      }),
    ],
    [
      'sees a protocol switched, where it was asked for that',
      () => ({
        ...ONCE,
        http: { url: `http://127.0.0.1:${ports.says101}/`, status: 101 },
      }),
    ],
    ['is let in by a port', () => tcp(`127.0.0.1:${ports.open}`)],
    ['is let in by a port of localhost', () => tcp(`localhost:${ports.open}`)],
    ['exits 0', () => command('true')],
    ['looks at the release that it is of', () => shell('test "$(cat version.txt)" = new')],
  ])('%s', async (_, check) => {
    const { result, progress } = await activateNew({ healthCheck: check() });
    expect(result).toMatchObject({ version: 'new', previousVersion: 'old', unchanged: false });
    expect(host.current('web')).toBe('new');
    expect(progress.filter(({ state }) => state === 'finished').map(({ step }) => step)).toEqual([
      'check',
      'flip',
      'health_check',
    ]);
  });

  it('is redirected, which it does not follow', async () => {
    await activateNew({ healthCheck: http('/moved') });
    expect(host.current('web')).toBe('new');
    expect(host.origin.requests('/elsewhere')).toBe(0);
  });
});

describe('the release before is brought back where a health check', () => {
  it.each<[string, () => HealthCheck, { found: string; expected: string }]>([
    ['gets another status', () => http('/ill'), { found: 'status 503', expected: ANY_STATUS }],
    [
      'gets a good status, but not the one that was asked for',
      () => http('/moved', { status: 200 }),
      { found: 'status 302', expected: 'status 200' },
    ],
    ['gets no answer in its time', () => http('/hangs', HASTY), { found: NO_ANSWER, expected: ANY_STATUS }],
    [
      'gets no answer before the deadline of all attempts, which comes first',
      () => http('/hangs', { ...ONCE, timeoutMs: 60_000, deadlineMs: 300 }),
      { found: NO_ANSWER, expected: ANY_STATUS },
    ],
    ['finds a port closed by http', () => httpAt(ports.closed), { found: 'ECONNREFUSED', expected: ANY_STATUS }],
    [
      'finds a port closed by localhost',
      () => ({ ...ONCE, http: { url: `http://localhost:${ports.closed}/` } }),
      { found: 'ECONNREFUSED', expected: ANY_STATUS },
    ],
    ['is hung up on', () => httpAt(ports.hangsUp), { found: 'ECONNRESET', expected: ANY_STATUS }],
    ['sees a protocol switched', () => httpAt(ports.says101), { found: 'status 101', expected: ANY_STATUS }],
    [
      'is answered in another protocol',
      () => httpAt(ports.saysNonsense),
      { found: 'HPE_INVALID_CONSTANT', expected: ANY_STATUS },
    ],
    [
      'finds a port closed',
      () => tcp(`127.0.0.1:${ports.closed}`),
      { found: 'ECONNREFUSED', expected: 'a connection' },
    ],
    [
      'is not let in in its time',
      () => tcp(`127.0.0.1:${ports.full}`, HASTY),
      { found: NO_ANSWER, expected: 'a connection' },
    ],
    [
      'exits with another code',
      () => shell('echo no database >&2; exit 3'),
      { found: 'exit 3: no database', expected: 'exit 0' },
    ],
    ['is killed', () => shell('kill -9 $$'), { found: 'SIGKILL', expected: 'exit 0' }],
    ['names a program that is not there', () => command('/no/such/program'), { found: 'ENOENT', expected: 'exit 0' }],
    [
      'names a program that the release does not bring',
      () => command('./check.sh'),
      { found: 'ENOENT', expected: 'exit 0' },
    ],
    ['names a file that is no program', () => command('./version.txt'), { found: 'EACCES', expected: 'exit 0' }],
    [
      'does not exit in its time',
      () => shell('echo still busy; sleep 600', HASTY_COMMAND),
      { found: 'timed out after 1 s: still busy', expected: 'exit 0' },
    ],
    [
      'does not exit before the deadline of all attempts, which comes first',
      () => shell('sleep 600', { ...ONCE, timeoutMs: 60_000, deadlineMs: 300 }),
      { found: 'timed out after 0.3 s', expected: 'exit 0' },
    ],
    [
      'is well, but not often enough before its deadline',
      () => ({ ...http('/well'), successes: 3 }),
      { found: '1 of 3 successes in a row', expected: ANY_STATUS },
    ],
  ])('%s', async (_, check, found) => {
    await expect(activateNew({ healthCheck: check() })).rejects.toMatchObject({
      code: 'HEALTH_CHECK_FAILED',
      params: { ...found, attempts: 1 },
      aftermath: { current: 'old', reverted: true },
    });
    expect(host.current('web')).toBe('old');
  });
});

describe('nothing is flipped for a health check', () => {
  it.each<[string, HealthCheck, { field: string; found: string }]>([
    [
      'of an address that is not of this host',
      { http: { url: 'http://192.0.2.1/' } },
      { field: 'health_check.http.url', found: '"192.0.2.1"' },
    ],
    [
      'of a name that is not localhost',
      { http: { url: 'http://localhost.example/' } },
      { field: 'health_check.http.url', found: '"localhost.example"' },
    ],
    [
      'of a port of another host',
      { tcp: { address: '192.0.2.1:80' } },
      { field: 'health_check.tcp.address', found: '"192.0.2.1"' },
    ],
    // Only a resolver makes something of it, and may make any address of it.
    [
      'of a name that looks like an address of loopback',
      { tcp: { address: '127.0.0.256:80' } },
      { field: 'health_check.tcp.address', found: '"127.0.0.256"' },
    ],
  ])('%s', async (_, healthCheck, { field, found }) => {
    await expect(activateNew({ healthCheck })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      params: { field, found, expected: 'localhost, or an address of this host' },
    });
    expect(host.current('web')).toBe('old');
  });
});

describe('a health check', () => {
  it('that fails twice and then succeeds is a success', async () => {
    host.origin.serve('/recovers', { status: 503 }, { status: 503 }, { status: 200 });
    await activateNew({ healthCheck: http('/recovers', { intervalMs: 1 }) });
    expect(host.current('web')).toBe('new');
    expect(host.origin.requests('/recovers')).toBe(3);
  });

  it('that is to succeed twice in a row begins to count again after a failure', async () => {
    host.origin.serve('/flaps', { status: 200 }, { status: 503 }, { status: 200 }, { status: 200 });
    await activateNew({ healthCheck: { ...http('/flaps', { intervalMs: 1 }), successes: 2 } });
    expect(host.current('web')).toBe('new');
    expect(host.origin.requests('/flaps')).toBe(4);
  });

  it('that goes on failing is asked again until its deadline, and the number of attempts is told', async () => {
    const failed = activateNew({ healthCheck: http('/ill', { intervalMs: 50, deadlineMs: 1_000 }) });
    const before = host.origin.requests('/ill');
    const { params } = (await failed.catch((error: unknown) => error)) as { params: { attempts: number } };
    expect(params.attempts).toBe(host.origin.requests('/ill') - before);
    expect(params.attempts).toBeGreaterThan(1);
    expect(params.attempts).toBeLessThanOrEqual(20);
  });

  it('that hangs ends with the deadline of its operation', async () => {
    const order = { healthCheck: http('/hangs', { ...ONCE, timeoutMs: 60_000, deadlineMs: 60_000 }), deadlineMs: 500 };
    await expect(activateNew(order)).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      params: { seconds: 0.5 },
      aftermath: { current: 'old', reverted: true },
    });
    expect(host.current('web')).toBe('old');
  });

  it('that fails leaves the new release current where going back was not wanted, and says so', async () => {
    await expect(activateNew({ healthCheck: http('/ill'), autoRollback: false })).rejects.toMatchObject({
      code: 'HEALTH_CHECK_FAILED',
      aftermath: { current: 'new', reverted: false },
    });
    expect(host.current('web')).toBe('new');
  });

  it('that fails leaves the new release current where there was none before, and says so', async () => {
    await expect(host.deploy('first-of-all', 'new', { healthCheck: http('/ill') })).rejects.toMatchObject({
      code: 'HEALTH_CHECK_FAILED',
      aftermath: { current: 'new', reverted: false },
    });
    expect(host.current('first-of-all')).toBe('new');
  });

  it('shows neither the password nor the query of its address to those who are told of it', async () => {
    const url = `http://probe:secret@127.0.0.1:${ports.closed}/health?token=secret`;
    await expect(activateNew({ healthCheck: { ...ONCE, http: { url } } })).rejects.toMatchObject({
      params: { check: `http http://127.0.0.1:${ports.closed}/health?[redacted]` },
    });
  });
});

describe('a command that checks', () => {
  /** Runs a script that writes pids down, one a line, and says which of them still run. */
  const pidsIn = (name: string) => readFileSync(`${host.marks}/${name}`, 'utf8').trim().split('\n').map(Number);
  const running = async (name: string) =>
    (await Promise.all(pidsIn(name).map(startTimeOf))).filter((startTime) => startTime !== undefined);

  it.each([
    ['at its deadline', 'wait', { found: 'timed out after 1 s' }],
    ['when it has failed', 'exit 1', { found: 'exit 1' }],
  ])('leaves no process behind %s, of those that it started neither', async (name, end, params) => {
    const mark = name.replaceAll(' ', '-');
    const script = `cd ${host.marks}; echo $$ > ${mark}; sleep 600 & echo $! >> ${mark}; ${end}`;
    await expect(activateNew({ healthCheck: shell(script, HASTY_COMMAND) })).rejects.toMatchObject({ params });
    expect(pidsIn(mark)).toHaveLength(2);
    await expect.poll(() => running(mark)).toEqual([]);
  });

  it('leaves no process behind when it has succeeded', async () => {
    const script = `cd ${host.marks}; echo $$ > succeeded; sleep 600 & echo $! >> succeeded`;
    await activateNew({ healthCheck: shell(script) });
    expect(pidsIn('succeeded')).toHaveLength(2);
    await expect.poll(() => running('succeeded')).toEqual([]);
  });

  it('ends with the caller that looks once and goes away', async () => {
    const script = `cd ${host.marks}; echo $$ > left; sleep 600 & echo $! >> left; wait`;
    const healthCheck = shell(script, { timeoutMs: 60_000 });
    const call = host.client.raw.checkHealth({ target: targetOf('web'), healthCheck }, () => undefined);
    await expect.poll(() => existsSync(`${host.marks}/left`) && pidsIn('left').length).toBe(2);
    expect(await running('left')).toHaveLength(2);
    call.cancel();
    await expect.poll(() => running('left')).toEqual([]);
  });
});

const ids = (user: string) =>
  ['-u', '-g', '-G'].map((flag) => execFileSync('id', [flag, user], { encoding: 'utf8' }).trim()).join(' ');

describe.runIf(requires('root'))('a command that checks runs', () => {
  const whoami = shell('echo $(id -u) $(id -g) $(id -G); exit 1');

  it('as nobody where nothing is said', async () => {
    const found = `exit 1: ${ids('nobody')}`;
    await expect(activateNew({ healthCheck: whoami })).rejects.toMatchObject({ params: { found } });
  });

  it.each([
    ['as the user that the configuration names', 'daemon', 'daemon'],
    ['as the agent itself where it says null', null, 'root'],
  ])('%s', async (_, user, expected) => {
    await using other = await DeployingHost.start({ health_checks: { user } });
    const found = `exit 1: ${ids(expected)}`;
    await expect(other.deploy('web', 'new', { healthCheck: whoami })).rejects.toMatchObject({ params: { found } });
  });

  it('as nobody that this host does not know: the agent does not start, and says which key names him', async () => {
    await expect(DeployingHost.start({ health_checks: { user: 'no-such-user' } })).rejects.toThrow(
      'health_checks.user: user no-such-user is not known on this host',
    );
  });
});
