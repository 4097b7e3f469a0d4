import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { CertificateAuthority, type KeyPair } from '@sampan/controller/identity/certificate-authority.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runProgram } from '../../helpers/run-program.ts';
import type { StartedController } from '../../helpers/start-controller.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { testController } from '../../helpers/test-controller.ts';

const DAY_MS = 86_400_000;
const authority = await CertificateAuthority.create();
const pair = () => authority.issueServer(['127.0.0.1'], DAY_MS);

/** Where a certificate and its key lie, each replaced by a rename. */
function certificateFiles() {
  const dir = tempDir();
  const files = { cert: join(dir, 'api.pem'), key: join(dir, 'api.key') };
  const replace = (file: string, content: string) => {
    writeFileSync(`${file}.new`, content);
    renameSync(`${file}.new`, file);
  };
  const write = ({ certificate, key }: KeyPair) => {
    replace(files.cert, certificate);
    replace(files.key, key);
  };
  return { files, write, replace };
}

async function startHttps(settings: Record<string, unknown> = {}) {
  const { files, write, replace } = certificateFiles();
  const first = await pair();
  write(first);
  const controller = await testController({ tls: files, ...settings });
  return { controller, first, files, write, replace, port: Number(new URL(controller.url).port) };
}

interface Call {
  method?: string;
  headers?: Record<string, string>;
  agent?: Agent;
}

async function call(controller: StartedController, path: string, { agent, ...options }: Call = {}) {
  // Node takes the name to check from the header Host, which is what some tests are about.
  const trust = { ca: authority.bundle, checkServerIdentity: () => undefined };
  const sent = request(`${controller.url}${path}`, { ...trust, agent: agent ?? false, ...options });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: JSON.parse(await text(response)) as unknown };
}

async function handshake(port: number, options: object = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority.bundle, ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** The serial number of the certificate that new connections see. */
async function serialShown(port: number): Promise<string> {
  return (await handshake(port)).getPeerCertificate().serialNumber;
}

const serialOf = ({ certificate }: KeyPair) => new X509Certificate(certificate).serialNumber;

/** What comes back for bytes that are sent as they are. */
async function answerTo(socket: TLSSocket, bytes: string): Promise<string> {
  let answer = '';
  socket.setEncoding('utf8').on('data', (more: string) => {
    answer += more;
  });
  // Whoever is answered before he has sent all of it may see the connection reset.
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.write(bytes);
  await closed;
  return answer;
}

describe('HTTPS', () => {
  it('is served with the certificate of the files, from TLS 1.2 on', async () => {
    const { controller, first, port } = await startHttps();
    expect(new URL(controller.url).protocol).toBe('https:');
    expect(await call(controller, '/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await serialShown(port)).toBe(serialOf(first));
    expect((await handshake(port, { maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
    await expect(
      handshake(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow(/protocol version|unsupported protocol|no protocols available/);
  });

  it('cuts plain HTTP off, and lives', async () => {
    const { controller, port } = await startHttps();
    const sent = requestHttp({ port, path: '/healthz', agent: false });
    sent.end();
    const [error] = (await once(sent, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    expect((await call(controller, '/healthz')).status).toBe(200);
  });

  it('is as strict as plain HTTP', async () => {
    const { controller, port } = await startHttps({ public_hosts: ['deploy.example.com'] });
    const broken = await answerTo(await handshake(port), 'HELLO\r\n\r\n');
    expect(broken.split('\r\n')[0]).toBe('HTTP/1.1 400 Bad Request');
    expect(broken).toContain('无法解析的内容 (HPE_INVALID_METHOD)');
    const big = await answerTo(
      await handshake(port),
      `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(512 * 1024)}`,
    );
    expect(big.split('\r\n')[0]).toBe('HTTP/1.1 431 Request Header Fields Too Large');
    expect(await call(controller, '/healthz', { headers: { host: 'evil.example' } })).toMatchObject({
      status: 403,
      body: { data: '拒绝访问: Host 收到 evil.example, 应为 IP 地址、localhost 或配置 public_hosts 中的名称' },
    });
    const from = (origin: string) =>
      call(controller, '/deploy', { method: 'POST', headers: { host: 'deploy.example.com', origin } });
    expect((await from('https://deploy.example.com')).status).toBe(400);
    for (const origin of ['http://deploy.example.com', 'https://evil.example', 'null']) {
      expect(await from(origin)).toEqual({
        status: 403,
        body: { status_code: 403, data: `拒绝访问: Origin 收到 ${origin}, 应为 deploy.example.com 的页面` },
      });
    }
  });

  it('shows a new certificate once its files have changed, and open connections go on', async () => {
    const { controller, write, port } = await startHttps();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    expect((await call(controller, '/healthz', { agent })).status).toBe(200);
    const second = await pair();
    write(second);
    await controller.logged(({ msg }) => msg === 'the certificate of HTTPS was read again');
    expect(await serialShown(port)).toBe(serialOf(second));
    expect((await call(controller, '/healthz', { agent })).status).toBe(200);
  });

  it('reads them at once on SIGHUP, keeps the former ones while the new cannot be used, and says so', async () => {
    const { controller, first, files, replace, write, port } = await startHttps();
    const refused = () => controller.log.filter(({ msg }) => String(msg).includes('the former one stays')).length;
    for (const spoil of [
      () => replace(files.key, 'no key'),
      async () => replace(files.key, (await pair()).key),
      () => replace(files.cert, ''),
    ]) {
      const before = refused();
      await spoil();
      process.kill(controller.pid, 'SIGHUP');
      await expect.poll(refused).toBeGreaterThan(before);
      expect(await serialShown(port)).toBe(serialOf(first));
    }
    const second = await pair();
    write(second);
    process.kill(controller.pid, 'SIGHUP');
    await controller.logged(({ msg }) => msg === 'the certificate of HTTPS was read again');
    expect(await serialShown(port)).toBe(serialOf(second));
  });

  it.each([
    ['are not there', (_files: { cert: string; key: string }) => undefined, 'ENOENT: no such file or directory'],
    [
      'do not belong together',
      async (files: { cert: string; key: string }) => {
        writeFileSync(files.cert, (await pair()).certificate);
        writeFileSync(files.key, (await pair()).key);
      },
      'the key is that of another certificate',
    ],
  ])('does not start with files that %s', async (_title, prepare, reason) => {
    const { files } = certificateFiles();
    await prepare(files);
    const config = join(tempDir(), 'controller.yaml');
    writeFileSync(config, JSON.stringify({ listen: '127.0.0.1:0', database: 'sqlite:x.db', tls: files }));
    const { code, stderr } = await runProgram('controller', ['--config', config]);
    expect(code).toBe(1);
    expect(stderr.split('\n').at(-1)).toContain(`tls: ${files.cert} and ${files.key} cannot be used: `);
    expect(stderr).toContain(reason);
  });
});
