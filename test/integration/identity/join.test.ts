import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CertificateAuthority } from '@sampan/controller/identity/certificate-authority.ts';
import { splitPem } from '@sampan/shared/identity/pem.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../helpers/free-port.ts';
import type { StartedAgent } from '../../helpers/start-agent.ts';
import { type HostToJoin, hostToJoin, type Site, startJoined, startSite } from '../../helpers/start-site.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** What the controller says of a host: its version or the failure. */
async function versionOf({ call }: Site, host: string): Promise<string> {
  const query = new URLSearchParams({ server_list: host, project_name: 'shop', language: 'php', link_name: 'shop' });
  return JSON.stringify((await call(`/get_current_version?${query}`)).body);
}

const NOT_DEPLOYED = /没有部署过/;

describe('joining', () => {
  it('gives a host the identity of its token, once; the controller then commands it over TLS', async () => {
    const here = await startSite();
    const host = hostToJoin();
    const token = await here.joinToken('--host', '127.0.0.1', '--alias', 'web-1.example');
    expect(await host.join(here.controller.url, token)).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^joined as 127\.0\.0\.1: certificate in \S+identity, good until \S+Z; the controller renews it$/,
      ),
      stderr: '',
    });
    expect(readdirSync(host.identityDir).sort()).toEqual(['agent.key', 'agent.pem', 'ca.pem']);
    expect(statSync(join(host.identityDir, 'agent.key')).mode & 0o777).toBe(0o600);
    const agent = await startJoined(host);
    expect(await versionOf(here, agent.host)).toMatch(NOT_DEPLOYED);
    // A second host with the same token, or the same one again, gets nothing.
    expect(await hostToJoin().join(here.controller.url, token)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the token has been used'),
    });
    expect(await host.join(here.controller.url, token)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has joined already'),
    });
    expect((await here.command('agents')).stdout).toMatch(/127\.0\.0\.1 +127\.0\.0\.1 +web-1\.example +\S+ +live/);
  });

  it('is refused with a token that is unknown, or has expired; nothing is left on the host', async () => {
    const here = await startSite();
    const host = hostToJoin();
    const token = await here.joinToken('--host', '127.0.0.1', '--ttl', '1ms');
    const unknown = token.replace(/join_.{4}/, 'join_aaaa');
    expect((await host.join(here.controller.url, unknown)).stderr).toContain('the token is not valid');
    expect((await host.join(here.controller.url, token)).stderr).toContain('the token has expired');
    expect(readdirSync(host.root)).toEqual(['agent.yaml']);
  });

  it('sends nothing to a controller that is not the one of the token', async () => {
    const [here, other] = [await startSite(), await startSite()];
    const token = await here.joinToken('--host', '127.0.0.1');
    const { code, stderr } = await hostToJoin().join(other.controller.url, token);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/shows another CA .*nothing was sent to it/),
    });
    // It is still good.
    expect((await hostToJoin().join(here.controller.url, token)).code).toBe(0);
  });

  it('sends nothing to whoever shows the CA of the token beside one of their own', async () => {
    const here = await startSite();
    const token = await here.joinToken('--host', '127.0.0.1');
    const real = await here.command('ca', 'show');
    const own = await CertificateAuthority.create();
    const pair = await own.issueServer(['127.0.0.1'], 3_600_000);
    const [ca = ''] = splitPem(readFileSync(join(here.dir, 'identity', 'authority.pem'), 'utf8'));
    const asked: string[] = [];
    const impostor = createHttpsServer({ key: pair.key, cert: pair.certificate }, (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end(`${ca}\n${own.bundle}`);
    }).listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    onTestFinished(() => void impostor.close());
    const { port } = impostor.address() as AddressInfo;
    const host = hostToJoin();
    expect(real.stdout).toContain(token.split('_')[3]);
    expect(await host.join(`https://127.0.0.1:${port}`, token)).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/shows another CA .*and more than one.*nothing was sent to it/),
    });
    expect(asked).toEqual(['GET /v1/agents/ca.pem']);
    expect(readdirSync(host.root)).toEqual(['agent.yaml']);
  });

  it('is open to anybody, with the CA and, where there is one, the package, and nothing else below it', async () => {
    const file = join(tempDir(), 'agent.tar.gz');
    writeFileSync(file, '');
    const { controller } = await startSite({ agents: { package: file } });
    const { routes } = await controller.logged(({ msg }) => msg === 'routes');
    const found = (routes as { route: string; access: unknown }[]).filter(({ route }) => route.includes('/v1/agents/'));
    expect(found.sort((a, b) => a.route.localeCompare(b.route))).toEqual([
      { route: 'GET /v1/agents/ca.pem', access: 'public' },
      { route: 'GET /v1/agents/install.sh', access: 'public' },
      { route: 'GET /v1/agents/package.tar.gz', access: 'public' },
      { route: 'POST /v1/agents/join', access: 'public' },
    ]);
  });

  it('is for HTTPS alone', async () => {
    const here = await startSite();
    const token = await here.joinToken('--host', '127.0.0.1');
    expect((await hostToJoin().join(here.controller.url.replace('https', 'http'), token)).stderr).toMatch(
      /--controller is http:\S+, expected an address such as https/,
    );
  });
});

describe('an identity', () => {
  it('ends at once when it is revoked, and a new token begins another', async () => {
    const here = await startSite();
    const host = hostToJoin();
    await host.join(here.controller.url, await here.joinToken('--host', '127.0.0.1'));
    const agent = await startJoined(host);
    expect(await versionOf(here, agent.host)).toMatch(NOT_DEPLOYED);
    expect((await here.command('revoke', '--host', '127.0.0.1')).stdout).toBe('127.0.0.1: its certificate is revoked');
    await expect.poll(() => versionOf(here, agent.host)).toMatch(/Agent证书已吊销/);
    await agent.stop();
    const again = await here.joinToken('--host', '127.0.0.1');
    expect((await host.join(here.controller.url, again, '--force')).code).toBe(0);
    expect(await versionOf(here, (await startJoined(host)).host)).toMatch(NOT_DEPLOYED);
  });

  it('is issued off line as files, too', async () => {
    const here = await startSite();
    const host = hostToJoin();
    expect((await here.command('issue', '--host', '127.0.0.1', '--out', host.identityDir)).code).toBe(0);
    expect(statSync(join(host.identityDir, 'agent.key')).mode & 0o777).toBe(0o600);
    expect(await versionOf(here, (await startJoined(host)).host)).toMatch(NOT_DEPLOYED);
  });

  it('is renewed again and again while the agent runs', async () => {
    const here = await startSite({ certificates: { lifetime: '4s' } });
    const host = hostToJoin();
    const agent = await joined(here, host);
    const renewals = () => agent.log.filter(({ msg }) => msg === 'certificate renewed').length;
    await expect.poll(renewals).toBeGreaterThan(2);
    expect(await versionOf(here, agent.host)).toMatch(NOT_DEPLOYED);
  });

  it('that ran out while its host slept is renewed by its key', async () => {
    const here = await startSite({ certificates: { lifetime: '4s' } });
    const host = hostToJoin();
    const agent = await joined(here, host);
    process.kill(agent.pid, 'SIGSTOP');
    await here.controller.logged(({ msg }) => msg === 'certificate could not be renewed');
    const { expires_at } = JSON.parse((await here.command('agents', '--json')).stdout)[0];
    await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(expires_at) + 1_000);
    process.kill(agent.pid, 'SIGCONT');
    await expect.poll(() => versionOf(here, agent.host)).toMatch(NOT_DEPLOYED);
  });

  it('follows a roll of the CA, which then no longer needs the old root', async () => {
    const here = await startSite();
    const host = hostToJoin();
    const agent = await joined(here, host);
    expect(await versionOf(here, agent.host)).toMatch(NOT_DEPLOYED);
    expect((await here.command('ca', 'roll')).code).toBe(0);
    await expect.poll(async () => (await here.command('ca', 'show')).stdout).toContain('Every agent follows.');
    expect(await versionOf(here, agent.host)).toMatch(NOT_DEPLOYED);
    expect((await here.command('ca', 'retire')).code).toBe(0);
    await agent.logged(({ msg }) => msg === 'certificate renewed');
    await expect.poll(() => readFileSync(join(host.identityDir, 'ca.pem'), 'utf8').match(/BEGIN/g)).toHaveLength(1);
    expect(await versionOf(here, agent.host)).toMatch(NOT_DEPLOYED);
  });

  /** Joins under the address on which the agent then listens, so that the controller finds it for renewals. */
  async function joined(here: Site, host: HostToJoin): Promise<StartedAgent> {
    const port = await freePort();
    const { code, stderr } = await host.join(here.controller.url, await here.joinToken('--host', `127.0.0.1:${port}`));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return await startJoined(host, port);
  }
});

describe('the line that installs an agent', () => {
  it('believes the controller of its CA alone, and gets the package that this one has', async () => {
    const packageFile = join(tempDir(), 'agent.tar.gz');
    writeFileSync(packageFile, 'the package');
    const [here, other] = [await startSite({ agents: { package: packageFile } }), await startSite()];
    const line = await lineOf(here);
    const script = await run(line.replace(/sh install\.sh .*\)$/, 'cat install.sh)'));
    expect({ ...script, stdout: script.stdout.split('\n')[0] }).toEqual({ code: 0, stdout: '#!/bin/sh', stderr: '' });
    const sum = createHash('sha256').update('the package').digest('hex');
    expect(script.stdout).toContain(`echo "${sum}  package.tar.gz" | sha256sum -c -`);
    // Up to where it would unpack.
    const fetched = await run(
      line.replace(
        /sh install\.sh (.*)\)$/,
        'sed "/^mkdir/s/.*/cat package.tar.gz; exit/" install.sh >fetch.sh; sh fetch.sh $1)',
      ),
    );
    expect(fetched).toEqual({ code: 0, stdout: 'the package', stderr: '' });
    const portOf = ({ controller }: Site) => new URL(controller.url).port;
    const elsewhere = await run(line.replaceAll(portOf(here), portOf(other)));
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('did NOT match') });
  });

  it('takes no address that a shell would read as more', async () => {
    const here = await startSite();
    const answer = await here.command('join-token', '--host', '127.0.0.1', '--controller', "https://a';touch$x;'b:80");
    expect(answer).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^--controller is .*, expected an address/),
    });
  });

  async function lineOf({ command, controller }: Site): Promise<string> {
    const { stderr } = await command('join-token', '--host', '127.0.0.1', '--controller', controller.url);
    const line = stderr.split('\n').find((text) => text.startsWith('  (set -e')) ?? '';
    return line.trim().replace('-p /opt', `-p ${tempDir()}`);
  }

  function run(line: string): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((resolve) => {
      execFile('sh', ['-c', line], (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout: stdout.trimEnd(), stderr: stderr.trimEnd() });
      });
    });
  }
});

describe('init', () => {
  it('made a second time changes nothing, and says so', async () => {
    const here = await startSite();
    const before = readFileSync(join(here.dir, 'identity', 'authority.pem'), 'utf8');
    expect(await here.command('init')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^The CA is there already: .*A token with the scope admin is there already/s),
    });
    expect(readFileSync(join(here.dir, 'identity', 'authority.pem'), 'utf8')).toBe(before);
    expect(statSync(join(here.dir, 'identity', 'authority.pem')).mode & 0o777).toBe(0o600);
  });
});
