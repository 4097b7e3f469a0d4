import { createPublicKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { type Client, credentials, Client as GrpcClient, type ServiceError, status as Status } from '@grpc/grpc-js';
import type { AgentConnection } from '@sampan/controller/agents/agent-connection.ts';
import { AgentPool } from '@sampan/controller/agents/agent-pool.ts';
import { mutualTls } from '@sampan/controller/agents/agent-security.ts';
import { callAgent } from '@sampan/controller/agents/call-agent.ts';
import { CertificateAuthority, type KeyPair } from '@sampan/controller/identity/certificate-authority.ts';
import { AGENT_SERVER_NAME } from '@sampan/shared/identity/identity-names.ts';
import { loadProto } from '@sampan/shared/load-proto.ts';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { fromServiceError } from '../../helpers/from-service-error.ts';
import { type StartedAgent, startAgent } from '../../helpers/start-agent.ts';
import { keptTempDir, tempDir } from '../../helpers/temp-dir.ts';
import { planHost } from '../../helpers/test-fleet.ts';
import { clientContext, issueAgent, writeAgentIdentity } from '../../helpers/test-identity.ts';

const DAY_MS = 86_400_000;
const HEALTH = '/grpc.health.v1.Health/Check';
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

/** Every method that an agent serves, and one that it does not. */
const METHODS = [
  ...Object.values(loadProto().types.sampan.agent.v1.Agent.service).map(({ path }) => path),
  HEALTH,
  '/grpc.health.v1.Health/Watch',
  REFLECTION,
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
  '/sampan.agent.v1.Agent/NoSuchMethod',
];

describe('an agent under TLS', () => {
  let authority: CertificateAuthority;
  let controller: KeyPair;
  let agent: StartedAgent;
  let stranger: CertificateAuthority;
  let root: string;

  beforeAll(async () => {
    authority = await CertificateAuthority.create();
    stranger = await CertificateAuthority.create();
    controller = await authority.issueClient(DAY_MS);
    root = keptTempDir();
    const own = await issueAgent(authority, ['127.0.0.1', 'web-1.example']);
    agent = await startAgent(root, { identity_dir: writeAgentIdentity(root, authority, own) });
  });
  afterAll(async () => {
    await agent.stop();
    rmSync(root, { recursive: true });
  });

  it('obeys the controller', async () => {
    expect(await statusAt(agent.host)).toMatchObject({ ready: true });
  });

  const refused: [string, () => Promise<KeyPair | undefined>, { code: Status; why: object }][] = [
    ['no certificate', async () => undefined, { code: Status.UNAUTHENTICATED, why: { fault: 'missing', detail: '' } }],
    [
      "another agent's certificate",
      () => issueAgent(authority, ['127.0.0.1']),
      {
        code: Status.PERMISSION_DENIED,
        why: { fault: 'wrong_role', detail: 'URI:sampan://agent/127.0.0.1, IP Address:127.0.0.1' },
      },
    ],
    [
      "the controller's certificate for HTTPS",
      () => authority.issueServer(['127.0.0.1'], DAY_MS),
      {
        code: Status.PERMISSION_DENIED,
        why: { fault: 'wrong_role', detail: expect.stringContaining('sampan://controller') },
      },
    ],
    [
      'an expired certificate',
      () => authority.issueClient(-60_000),
      {
        code: Status.UNAUTHENTICATED,
        why: { fault: 'expired', detail: expect.stringMatching(/^URI:sampan:\/\/controller, \S+Z < \S+Z$/) },
      },
    ],
    [
      'a certificate of tomorrow',
      () => tomorrow(() => authority.issueClient(DAY_MS)),
      {
        code: Status.UNAUTHENTICATED,
        why: { fault: 'not_yet_valid', detail: expect.stringMatching(/^URI:sampan:\/\/controller, \S+Z > \S+Z$/) },
      },
    ],
    [
      'a certificate of another CA',
      () => stranger.issueClient(DAY_MS),
      {
        code: Status.UNAUTHENTICATED,
        why: { fault: 'untrusted', detail: expect.stringMatching(/^URI:sampan:\/\/controller, \w+$/) },
      },
    ],
  ];

  it.each(refused)('refuses every method to %s, and says why', async (_name, issue, { code, why }) => {
    const pair = await issue();
    for (const method of METHODS) {
      // Each over a connection of its own: one on which too much is asked is closed without an answer.
      const error = await failureOf(clientOf(agent, pair), method);
      expect({ method, code: error.code }).toEqual({ method, code });
      expect(fromServiceError(error)?.params).toEqual({ whose: 'controller', ...why });
    }
  });

  it('answers nothing without TLS', async () => {
    const client = new GrpcClient(agent.host, credentials.createInsecure());
    onTestFinished(() => client.close());
    for (const method of METHODS) expect((await failureOf(client, method)).code).toBe(Status.UNAVAILABLE);
  });

  it('still lets the controller in after all of these', async () => {
    expect(await statusAt(agent.host)).toMatchObject({ ready: true });
  });

  it('tells its certificate to whoever connects: another host that shows it is found out', async () => {
    const other = await agentWith(await issueAgent(authority, ['10.9.9.9', 'web-2.example']));
    await expect(statusAt(other.host)).rejects.toMatchObject({
      code: 'CERTIFICATE_REFUSED',
      params: {
        whose: 'agent',
        fault: 'other_host',
        detail: 'URI:sampan://agent/10.9.9.9, IP Address:10.9.9.9, DNS:web-2.example',
      },
    });
  });

  it.each<[string, () => Promise<KeyPair>, string]>([
    ['expired', () => issueAgent(authority, ['127.0.0.1'], -60_000), 'expired'],
    ['is of tomorrow', () => tomorrow(() => issueAgent(authority, ['127.0.0.1'])), 'not_yet_valid'],
    ['is the one of a controller', () => authority.issueServer(['127.0.0.1'], DAY_MS), 'wrong_role'],
  ])('that shows a certificate which %s is not spoken to', async (_what, issue, fault) => {
    const other = await agentWith(await issue());
    await expect(statusAt(other.host)).rejects.toMatchObject({
      code: 'CERTIFICATE_REFUSED',
      params: { whose: 'agent', fault },
    });
  });

  it('of another CA is not spoken to', async () => {
    const dir = tempDir();
    const own = await issueAgent(stranger, ['127.0.0.1']);
    const other = await startAgent(dir, { identity_dir: writeAgentIdentity(dir, stranger, own) });
    onTestFinished(async () => void (await other.stop()));
    await expect(statusAt(other.host)).rejects.toMatchObject({ params: { whose: 'agent', fault: 'untrusted' } });
  });

  it('that speaks no TLS is not spoken to', async () => {
    const other = await startAgent(tempDir());
    onTestFinished(async () => void (await other.stop()));
    await expect(statusAt(other.host)).rejects.toMatchObject({
      code: 'CERTIFICATE_REFUSED',
      params: { whose: 'agent', fault: 'no_tls', detail: other.host },
    });
  });

  it('that takes a connection and says nothing is given up in time', async () => {
    const other = await agentWith(await issueAgent(authority, ['127.0.0.1']));
    process.kill(other.pid, 'SIGSTOP');
    const pool = poolOf(authority, controller, { timeoutMs: 300 });
    await expect(pool.connect(planHost(other.host).address, AbortSignal.timeout(20_000))).rejects.toMatchObject({
      code: 'AGENT_CONNECT_TIMEOUT',
    });
    process.kill(other.pid, 'SIGCONT');
  });

  it('loses a call that runs, and its connection, at the moment at which it is revoked', async () => {
    const revoked = new Set<string>();
    const pool = poolOf(authority, controller, { isRevoked: (serial) => revoked.has(serial) });
    const { address } = planHost(agent.host);
    const connection = await pool.connect(address, AbortSignal.timeout(5_000));
    const serving = Promise.withResolvers<void>();
    const watching = new Promise((_resolve, reject) => {
      const listener = { onMessage: () => serving.resolve(), onEnd: reject };
      connection.call('/grpc.health.v1.Health/Watch', listener, 20_000).finish(Buffer.alloc(0));
    });
    await serving.promise;
    const { certificate } = await shownBy(agent.host);
    revoked.add(certificate.serialNumber);
    pool.cutUnwelcome();
    await expect(watching).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED', params: { fault: 'revoked' } });
    await expect(pool.connect(address, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      params: { fault: 'revoked' },
    });
  });

  it('obeys no longer, over the connection that it has, when the certificate of the controller expires', async () => {
    const client = clientOf(agent, await authority.issueClient(1_500));
    const answered = await callOn(client);
    expect(answered).toBeUndefined();
    const first = await vi.waitUntil(() => callOn(client), { timeout: 5_000, interval: 50 });
    expect(first?.code).toBe(Status.UNAUTHENTICATED);
  });

  it('takes a new certificate while a call runs, shows it to the next connection, and keeps it over a restart', async () => {
    const dir = tempDir();
    const keys = await issueAgent(authority, ['127.0.0.1']);
    const other = await agentWith(keys, dir);
    const pool = poolOf(authority, controller);
    const { address } = planHost(other.host);
    const connection = await pool.connect(address, AbortSignal.timeout(5_000));
    const spki = new Uint8Array(createPublicKey(keys.key).export({ type: 'spki', format: 'der' }));
    const certificate = await authority.issueAgent(['127.0.0.1', 'renewed.example'], spki, DAY_MS);
    await renew(connection, { certificate, roots: authority.bundle });
    expect((await shownBy(other.host)).certificate.checkHost('renewed.example')).toBe('renewed.example');
    // The connection from before is not dropped.
    await renew(connection, { certificate, roots: authority.bundle });
    await other.stop('SIGKILL');
    const again = await startAgent(dir, { identity_dir: join(dir, 'identity') });
    onTestFinished(async () => void (await again.stop()));
    expect((await shownBy(again.host)).certificate.checkHost('renewed.example')).toBe('renewed.example');
  });

  it('refuses a certificate that is not for its key, or does not lead to a root that comes with it', async () => {
    const pool = poolOf(authority, controller);
    const connection = await pool.connect(planHost(agent.host).address, AbortSignal.timeout(5_000));
    const foreign = await issueAgent(authority, ['127.0.0.1']);
    await expect(
      renew(connection, { certificate: foreign.certificate, roots: authority.bundle }),
    ).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      params: { found: 'agent.pem does not belong to agent.key' },
    });
    const { certificate } = await shownBy(agent.host);
    await expect(
      renew(connection, { certificate: certificate.toString(), roots: stranger.bundle }),
    ).rejects.toMatchObject({ params: { found: 'it does not lead to a root that comes with it' } });
  });

  it('refuses a certificate of the future: until then the controller would be locked out', async () => {
    const keys = await issueAgent(authority, ['127.0.0.1']);
    const other = await agentWith(keys);
    const connection = await poolOf(authority, controller).connect(
      planHost(other.host).address,
      AbortSignal.timeout(5_000),
    );
    const spki = new Uint8Array(createPublicKey(keys.key).export({ type: 'spki', format: 'der' }));
    const certificate = await tomorrow(() => authority.issueAgent(['127.0.0.1'], spki, DAY_MS));
    await expect(renew(connection, { certificate, roots: authority.bundle })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      params: { found: expect.stringMatching(/^it is not valid now: /) },
    });
  });

  it('closes what an old root let in once that is trusted no longer', async () => {
    const keys = await issueAgent(authority, ['127.0.0.1']);
    const other = await agentWith(keys);
    const old = await poolOf(authority, controller).connect(planHost(other.host).address, AbortSignal.timeout(5_000));
    const next = await authority.roll();
    const spki = new Uint8Array(createPublicKey(keys.key).export({ type: 'spki', format: 'der' }));
    const certificate = await next.issueAgent(['127.0.0.1'], spki, DAY_MS);
    const rolled = await poolOf(next, await next.issueClient(DAY_MS)).connect(
      planHost(other.host).address,
      AbortSignal.timeout(5_000),
    );
    await renew(rolled, { certificate, roots: next.bundle });
    expect(old.ended.aborted).toBe(false);
    await renew(rolled, { certificate, roots: next.retire().bundle });
    await expect.poll(() => old.ended.aborted).toBe(true);
    expect(rolled.ended.aborted).toBe(false);
  });

  it('holds little for those whom it refuses, however much they ask', async () => {
    const { host: ip, port } = planHost(agent.host).address;
    const sockets = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const session = connectHttp2(`https://${ip}:${port}`, { rejectUnauthorized: false });
        // Not by `once`, which an error before it would reject: the connection is reset, or ends, as it happens.
        const closed = new Promise((resolve) => session.once('close', resolve));
        session.on('error', () => undefined);
        for (let asked = 0; asked < 2_000; asked += 1) {
          session.request({ ':method': 'POST', ':path': '/x' }).on('error', () => undefined);
        }
        return { closed };
      }),
    );
    await Promise.all(sockets.map(({ closed }) => closed));
    expect(await statusAt(agent.host)).toMatchObject({ ready: true });
  });

  async function agentWith(pair: KeyPair, dir = tempDir()): Promise<StartedAgent> {
    const started = await startAgent(dir, { identity_dir: writeAgentIdentity(dir, authority, pair) });
    onTestFinished(async () => void (await started.stop()));
    return started;
  }

  async function statusAt(host: string, isRevoked?: (serial: string) => boolean) {
    const pool = poolOf(authority, controller, isRevoked && { isRevoked });
    const signal = AbortSignal.timeout(10_000);
    const connection = await pool.connect(planHost(host).address, signal);
    return await callAgent(connection, { method: 'GetStatus', request: {}, timeoutMs: 5_000 }, signal);
  }

  function clientOf({ host }: StartedAgent, pair: KeyPair | undefined): Client {
    const channel = credentials.createFromSecureContext(clientContext(authority, pair), {
      checkServerIdentity: () => undefined,
    });
    const client = new GrpcClient(host, channel, { 'grpc.ssl_target_name_override': AGENT_SERVER_NAME });
    onTestFinished(() => client.close());
    return client;
  }
});

function poolOf(
  authority: CertificateAuthority,
  controller: KeyPair,
  { isRevoked = () => false, timeoutMs = 5_000 }: { isRevoked?: (serial: string) => boolean; timeoutMs?: number } = {},
): AgentPool {
  const context = clientContext(authority, controller);
  const pool = new AgentPool({ security: mutualTls({ context, isRevoked }), timeoutMs });
  onTestFinished(() => pool.close());
  return pool;
}

async function tomorrow<T>(work: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ now: Date.now() + DAY_MS, toFake: ['Date'] });
  try {
    return await work();
  } finally {
    vi.useRealTimers();
  }
}

function failureOf(client: Client, method: string): Promise<ServiceError> {
  const nothing = () => Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(method, nothing, nothing, {}, { deadline: Date.now() + 5_000 }, (error) =>
      error ? resolve(error) : reject(new Error(`${method} was answered`)),
    );
  });
}

/** Undefined: it was answered. */
function callOn(client: Client): Promise<ServiceError | undefined> {
  return failureOf(client, HEALTH).catch(() => undefined);
}

function renew(connection: AgentConnection, request: { certificate: string; roots: string }): Promise<unknown> {
  return callAgent(connection, { method: 'RenewCertificate', request, timeoutMs: 5_000 }, AbortSignal.timeout(5_000));
}

/** What whoever connects to a host is shown. */
async function shownBy(host: string): Promise<{ certificate: X509Certificate }> {
  const { host: ip, port } = planHost(host).address;
  const socket = connect({ host: ip, port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  const certificate = new X509Certificate(socket.getPeerCertificate().raw);
  socket.destroy();
  return { certificate };
}
