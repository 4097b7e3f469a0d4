import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CertificateAuthority } from '@sampan/controller/identity/certificate-authority.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startNameServer } from '../faults/harness/name-server.ts';
import { type AgentFleet, startAgentFleet } from '../helpers/agent-fleet.ts';
import { tarball } from '../helpers/archives.ts';
import { type Origin, type OriginTls, startOrigin } from '../helpers/origin.ts';
import { requires } from '../helpers/requires.ts';
import { sendRequest } from '../helpers/send-request.ts';
import { startArtifactCache } from '../helpers/start-artifact-cache.ts';
import { startController } from '../helpers/start-controller.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const HOSTS = 20;

async function startFleet(download: Record<string, unknown>): Promise<AgentFleet> {
  const fleet = await startAgentFleet(HOSTS, { download });
  onTestFinished(() => fleet[Symbol.asyncDispose]());
  return fleet;
}

async function startOwnOrigin(tls?: OriginTls): Promise<Origin> {
  const origin = await startOrigin('127.0.0.1', tls);
  onTestFinished(() => origin.close());
  return origin;
}

/** Deploys through a controller of its own; resolves with the answer's body. */
async function deploy({ names }: AgentFleet, fields: { file_url: string; filename: string }): Promise<unknown> {
  const controller = await startController();
  try {
    const body = { project_name: 'shop', link_name: 'web', language: 'php', server_list: names, ...fields };
    return (await sendRequest(`${controller.url}/deploy`, { method: 'POST', body })).body;
  } finally {
    await controller.stop();
  }
}

/** How many connections to a port of 127.0.0.1 are open at its end. */
function connectionsTo(url: string): number {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .filter((line) => new RegExp(`^ *\\d+: 0100007F:${port} \\S+ 01 `).test(line)).length;
}

const deployed = { status_code: 200, data: '部署成功!' };

describe.runIf(requires('nginx'))('20 agents with the cache of the docs in front of the origin', () => {
  it('are deployed by one request to the origin, through download.proxy', async () => {
    const origin = await startOwnOrigin();
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const body = tarball({ 'version.txt': 'one' });
    const file_url = origin.serve('/web-1.tar.gz', { body, etag: '"one"', after: arrived });
    const cache = await startArtifactCache(tempDir(), { origin: new URL(origin.url).host });
    const fleet = await startFleet({ proxy: cache.url });
    const answer = deploy(fleet, { file_url, filename: 'web-1.tar.gz' });
    // All have asked before the first has it.
    await expect.poll(() => connectionsTo(cache.url), { timeout: 50_000 }).toBe(HOSTS);
    arrive();
    expect(await answer).toEqual(deployed);
    expect(fleet.hosts.map((host) => host.linked('web'))).toEqual(Array(HOSTS).fill('web-1'));
    expect(origin.received.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /web-1.tar.gz']);
    const place = file_url.replace('http://', '');
    const hits = Array(HOSTS - 1).fill(`GET ${place} 200 HIT`);
    await expect.poll(cache.answered).toEqual([...hits, `GET ${place} 200 MISS`]);
  });

  it('are deployed by one request to an https origin that the cache is a mirror of', async () => {
    const dir = tempDir();
    const name = 'secure-origin.example';
    const authority = await CertificateAuthority.create();
    const ca = join(dir, 'ca.pem');
    writeFileSync(ca, authority.bundle);
    const origin = await startOwnOrigin({ name, ...(await authority.issueServer([name], 60_000)) });
    origin.serve('/pool/web-2.tar.gz', { body: tarball({ 'version.txt': 'two' }), etag: '"two"' });
    const nameServer = await startNameServer('127.0.0.1', { [name]: '127.0.0.1' }, 0);
    onTestFinished(() => nameServer.close());
    const mirrored = { url: origin.url, ca, nameServerPort: nameServer.port };
    const cache = await startArtifactCache(dir, { mirrored });
    const fleet = await startFleet({ allow: [cache.url] });
    const file_url = `${cache.url}/pool/web-2.tar.gz`;
    expect(await deploy(fleet, { file_url, filename: 'web-2.tar.gz' })).toEqual(deployed);
    expect(fleet.hosts.map((host) => host.linked('web'))).toEqual(Array(HOSTS).fill('web-2'));
    expect(origin.received.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /pool/web-2.tar.gz']);
  });

  it('get nothing from a mirror of an https origin with a certificate of somebody else', async () => {
    const dir = tempDir();
    const name = 'secure-origin.example';
    const [authority, other] = await Promise.all([CertificateAuthority.create(), CertificateAuthority.create()]);
    const ca = join(dir, 'ca.pem');
    writeFileSync(ca, authority.bundle);
    const origin = await startOwnOrigin({ name, ...(await other.issueServer([name], 60_000)) });
    const nameServer = await startNameServer('127.0.0.1', { [name]: '127.0.0.1' }, 0);
    onTestFinished(() => nameServer.close());
    const mirrored = { url: origin.url, ca, nameServerPort: nameServer.port };
    const cache = await startArtifactCache(dir, { mirrored });
    expect((await sendRequest(`${cache.url}/pool/web-2.tar.gz`)).status).toBe(502);
    expect(origin.received).toEqual([]);
  });
});
