import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '@sampan/shared/version.ts';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { writePackage } from '../../packaging/write-package.ts';
import { Machine } from '../helpers/machine.ts';
import { MachineNetwork } from '../helpers/machine-network.ts';
import { requires } from '../helpers/requires.ts';
import { keptTempDir } from '../helpers/temp-dir.ts';

const DEPLOYED = { status_code: 200, data: '部署成功!' };
const CONTROLLER = '192.168.210.2';
const HOSTS = ['192.168.210.3', '192.168.210.4'] as const;
const ORIGIN = 'http://192.168.210.1:9000';

describe.runIf(
  requires('root', 'patchelf', 'libatomic', 'debootstrap', 'systemd-nspawn', 'ip', 'network namespaces', 'curl'),
)('a controller and two hosts, each a machine of its own', () => {
  const work = keptTempDir();
  let network: MachineNetwork;
  let controller: Machine;
  let hosts: [Machine, Machine];
  let origin: ChildProcess;
  let token = '';

  beforeAll(async () => {
    network = await MachineNetwork.open();
    mkdirSync(join(work, 'origin'));
    const [file = '', ...before] = network.inside;
    const serve = ['python3', '-m', 'http.server', '9000', '--bind', '192.168.210.1', '-d', join(work, 'origin')];
    origin = spawn(file, [...before, ...serve], { stdio: 'ignore' });
    const boot = async (host: number) =>
      await Machine.boot(inject('packages'), { network: (await network.addPort(host)).namespace });
    controller = await boot(2);
    hosts = [await boot(3), await boot(4)];
  }, 300_000);
  afterAll(async () => {
    origin?.kill('SIGKILL');
    await Promise.all([controller, ...(hosts ?? [])].map((machine) => machine?.[Symbol.asyncDispose]()));
    await network?.[Symbol.asyncDispose]();
    rmSync(work, { recursive: true });
  });

  it('begins with a controller that is installed, and given a CA and a first token', () => {
    controller.sh(
      'mkdir /pkg && tar -xzf /shared/sampan-controller-*.tar.gz -C /pkg --strip-components=1 && /pkg/install.sh && install -m 644 /shared/sampan-agent-*.tar.gz /srv/',
    );
    controller.sh(`cat > /etc/sampan/controller.yaml <<'END'\n${CONTROLLER_YAML}END\n`);
    const init = controller.try('sampan-controller --config /etc/sampan/controller.yaml init');
    token = /sampan_[a-z2-7]{32}/.exec(init.stdout)?.[0] ?? '';
    const sha256 = /SHA-256 of the CA: (\w+)/.exec(init.stderr)?.[1];
    controller.sh(
      'systemctl restart sampan-controller || { journalctl --no-pager -n 30 -u sampan-controller; false; }',
    );
    const ca = join(work, 'ca.pem');
    const [file = '', ...before] = network.inside;
    spawnSync(file, [...before, 'curl', '-fsSk', `https://${CONTROLLER}:8080/v1/agents/ca.pem`, '-o', ca]);
    expect(createHash('sha256').update(readFileSync(ca)).digest('hex')).toBe(sha256);
    expect(curl('/readyz')).toMatchObject({ status: 'ready' });
  });

  it.each([0, 1])(
    'installs the agent of host %i by the one line that join-token prints, from the controller alone',
    (n) => {
      const host = hosts[n]!;
      const said = controller.try(
        `sampan-controller --config /etc/sampan/controller.yaml join-token --host ${HOSTS[n]}`,
      ).stderr;
      const line = said.split('\n').find((text) => text.trim().startsWith('(set -e'));
      host.sh(line ?? `echo no line; false`);
      expect(host.sh('systemctl is-active sampan-agent')).toBe('active\n');
      host.sh(`cat > /etc/sampan/agent.yaml <<'END'\n${AGENT_YAML}END\nsystemctl restart sampan-agent`);
      host.sh('systemctl enable --quiet --now supervisor');
    },
  );

  it('deploys to both with a hook, and restarts their programs', () => {
    expect(deployWeb('web-1')).toEqual(DEPLOYED);
    for (const host of hosts)
      expect(host.sh('cat /opt/service/web/version /opt/service/hook-ran')).toBe('web-1\nweb-1\n');
    const text = '[program:api]\ncommand=/opt/api/api/run\ndirectory=/opt/api\nstartsecs=1\n';
    expect(call('/init_deploy', { ...API, superconf_content: text })).toEqual({
      status_code: 200,
      data: '初始化成功!',
    });
    pack('api-1', { run: '#!/bin/sh\nexec sleep 1000\n' });
    const order = { ...API, link_name: 'api', deploy_dir: 'api', is_restart: true, ...fileOf('api-1') };
    expect(call('/deploy', order)).toEqual(DEPLOYED);
    for (const host of hosts) expect(host.sh('supervisorctl status api')).toMatch(/^api +RUNNING/);
  }, 120_000);

  it('renews certificates while calls go on, without one that fails and without a restart; then they live longer', async () => {
    const pids = hosts.map((host) => pidOf(host, 'sampan-agent'));
    const first = hosts.map(serialOf);
    const seen = hosts.map(() => new Set<string>());
    const failed: unknown[] = [];
    let calls = 0;
    const untilMs = performance.now() + 120_000;
    while (seen.some((serials) => serials.size < 3) && performance.now() < untilMs) {
      calls += 1;
      const versions = call('/get_current_version', { ...WEB, server_list: HOSTS });
      const wanted = { status_code: 200, data: { succeed: { [HOSTS[0]]: 'web-1', [HOSTS[1]]: 'web-1' }, failed: {} } };
      if (JSON.stringify(versions) !== JSON.stringify(wanted)) failed.push(versions);
      const again = call('/deploy', webOrder('web-1'));
      if (JSON.stringify(again) !== JSON.stringify(DEPLOYED)) failed.push(again);
      for (const [n, host] of hosts.entries()) seen[n]?.add(serialOf(host));
    }
    expect(failed).toEqual([]);
    expect(calls).toBeGreaterThan(10);
    for (const [n, serials] of seen.entries()) expect(serials.has(first[n]!) && serials.size >= 3).toBe(true);
    expect(hosts.map((host) => pidOf(host, 'sampan-agent'))).toEqual(pids);
    // What follows takes its time, and is about other things.
    controller.sh(
      "sed -i 's/lifetime: 20s/lifetime: 5m/' /etc/sampan/controller.yaml && systemctl restart sampan-controller",
    );
    await expect.poll(() => hosts.every((host) => secondsLeft(host) > 60), { timeout: 60_000 }).toBe(true);
  }, 180_000);

  it('goes on with a deploy when the agent of a host is killed in the middle of it', async () => {
    const pid = pidOf(hosts[0], 'sampan-agent');
    hosts[0].sh('touch /opt/service/slow');
    const deploying = begin('/deploy', webOrder('web-2'));
    await expect.poll(() => hosts[0].try('test -e /opt/service/slow-began').code).toBe(0);
    hosts[0].sh(`rm /opt/service/slow*; kill -9 ${pid}`);
    expect(await deploying).toEqual(DEPLOYED);
    for (const host of hosts) expect(host.sh('cat /opt/service/web/version')).toBe('web-2\n');
    expect(pidOf(hosts[0], 'sampan-agent')).not.toBe(pid);
  }, 120_000);

  it.each([
    ['before its link has flipped', 'slow', 'web-3'],
    ['after its link has flipped', 'slow-after', 'web-4'],
  ])(
    'goes on with a deploy when a host loses its power %s',
    async (_when, hook, version) => {
      hosts[1].sh(`touch /opt/service/${hook}; sync`);
      const deploying = begin('/deploy', webOrder(version));
      await expect.poll(() => hosts[1].try(`test -e /opt/service/${hook}-began`).code).toBe(0);
      hosts[1].sh(`rm /opt/service/${hook}*; sync`);
      await hosts[1].reset();
      expect(await deploying).toEqual(DEPLOYED);
      for (const host of hosts) {
        expect(host.sh('readlink /opt/service/web; cat /opt/service/web/version')).toBe(
          `.deploy/${version}\n${version}\n`,
        );
        // What the deploy left over is removed behind its answer.
        const leftovers =
          'ls -A /opt/service/.deploy/.staging; find /opt/service -maxdepth 1 -name ".*" ! -name .deploy';
        await expect.poll(() => host.sh(leftovers)).toBe('');
      }
      expect(hosts[1].sh('systemctl is-active sampan-agent')).toBe('active\n');
    },
    180_000,
  );

  it('upgrades the agents of both hosts, which stay who they are and know what they did', async () => {
    const pids = hosts.map((host) => pidOf(host, 'sampan-agent'));
    const serving = await otherVersion('9.9.9');
    expect(upgrade(serving)).toEqual({
      code: 0,
      stdout: `${HOSTS.map((host) => `${host}: ${VERSION} -> 9.9.9\n`).join('')}`,
      stderr: 'sampan-agent 9.9.9 for 2 hosts\n',
    });
    for (const [n, host] of hosts.entries()) {
      expect(pidOf(host, 'sampan-agent')).not.toBe(pids[n]);
      expect(host.sh('cd /opt/sampan-agent && readlink current')).toBe('9.9.9\n');
      expect(host.sh('cat /etc/sampan/agent.yaml')).toBe(AGENT_YAML);
      expect(host.sh('ls /var/lib/sampan-agent/upgrade')).toBe('exit\nlog\n');
    }
    expect(deployWeb('web-5')).toEqual(DEPLOYED);
    expect(upgrade(serving).stdout).toBe(`${HOSTS.map((host) => `${host}: runs 9.9.9 already\n`).join('')}`);
  }, 180_000);

  it('takes back a version that does not start, says so, and leaves the other host alone', async () => {
    const broken = await otherVersion('10.0.0', { broken: true });
    const { code, stdout, stderr } = upgrade(broken);
    expect(stdout).toMatch(
      /^192\.168\.210\.3: FAILED: the agent refused the package: .*\n.*version 9\.9\.9 is installed\n.*version 10\.0\.0 does not start; 9\.9\.9 runs again\n$/s,
    );
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'sampan-agent 10.0.0 for 2 hosts\n1 of 1 failed; the other 1 were left as they are\n',
    });
    for (const host of hosts) {
      expect(host.sh('readlink /opt/sampan-agent/current; systemctl is-active sampan-agent')).toBe('9.9.9\nactive\n');
    }
    expect(deployWeb('web-6')).toEqual(DEPLOYED);
  }, 180_000);

  it('does not install an older version unless that is said', async () => {
    const older = await otherVersion('9.9.8');
    expect(upgrade(older, '--host', HOSTS[1])).toMatchObject({
      code: 0,
      stdout: `${HOSTS[1]}: runs 9.9.9, which is newer; --allow-downgrade installs 9.9.8 all the same\n`,
    });
    expect(upgrade(older, '--host', HOSTS[1], '--allow-downgrade')).toMatchObject({
      code: 0,
      stdout: `${HOSTS[1]}: 9.9.9 -> 9.9.8\n`,
    });
    expect(deployWeb('web-7')).toEqual(DEPLOYED);
  }, 180_000);

  function upgrade(file: string, ...more: string[]) {
    const command = 'sampan-controller --config /etc/sampan/controller.yaml upgrade-agents --package';
    return controller.try([command, file, ...more].join(' '));
  }

  /** The agent's package as if it were of another version, in the controller's machine. */
  async function otherVersion(version: string, { broken = false } = {}): Promise<string> {
    const name = `sampan-agent-${version}-linux-x64`;
    const tree = join(work, name);
    cpSync(join(inject('packages'), 'trees', `sampan-agent-${VERSION}-linux-x64`), tree, { recursive: true });
    writeFileSync(join(tree, 'VERSION'), `${version}\n`);
    const program = join(tree, 'lib/sampan-agent.mjs');
    const text = readFileSync(program, 'utf8').replaceAll(`"${VERSION}"`, `"${version}"`);
    writeFileSync(program, broken ? `process.exit(3);\n${text}` : text);
    const sums = spawnSync('sh', ['-c', 'sha256sum $(cut -c 67- SHA256SUMS)'], { cwd: tree, encoding: 'utf8' });
    writeFileSync(join(tree, 'SHA256SUMS'), sums.stdout);
    // Not beside the packages that other tests install.
    mkdirSync(join(inject('packages'), 'others'), { recursive: true });
    await writePackage(tree, join(inject('packages'), 'others', `${name}.tar.gz`));
    rmSync(tree, { recursive: true });
    return `/shared/others/${name}.tar.gz`;
  }

  /** As CI does it: with a token, over HTTPS, believing our CA. */
  function curlLine(path: string, body?: object): string[] {
    const data = body ? ['-d', JSON.stringify(body)] : [];
    const authorization = ['-H', `Authorization: Bearer ${token}`];
    const trust = ['--cacert', join(work, 'ca.pem')];
    return [...network.inside, 'curl', '-sS', ...trust, ...authorization, ...data, `https://${CONTROLLER}:8080${path}`];
  }

  function curl(path: string, body?: object): unknown {
    const [file = '', ...args] = curlLine(path, body);
    const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', timeout: 100_000 });
    if (status !== 0) throw new Error(`curl ${path}: exit ${status} ${stderr}`);
    return JSON.parse(stdout);
  }

  function call(path: string, body: object): unknown {
    return path === '/get_current_version' ? curl(`${path}?${query(body)}`) : curl(path, body);
  }

  async function begin(path: string, body: object): Promise<unknown> {
    const [file = '', ...args] = curlLine(path, body);
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [text] = await Promise.all([child.stdout.setEncoding('utf8').toArray(), once(child, 'close')]);
    return JSON.parse(text.join(''));
  }

  function deployWeb(version: string): unknown {
    return call('/deploy', webOrder(version));
  }

  function webOrder(version: string): object {
    pack(version, { version: `${version}\n` });
    return { ...WEB, server_list: HOSTS, ...fileOf(version) };
  }

  function pack(version: string, files: Record<string, string>): void {
    const dir = join(work, version);
    mkdirSync(dir, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text, { mode: 0o755 });
    const archive = join(work, 'origin', `${version}.tar.gz`);
    spawnSync('tar', ['-czf', archive, '--mtime=2026-01-01', '-C', dir, '.']);
  }
});

const WEB = { project_name: 'shop', link_name: 'web', language: 'php' };
const API = { project_name: 'api', language: 'golang', server_list: HOSTS };

/** The hooks are told to be slow, and say that they have begun, by files. */
const SLOW = (name: string) => `if test -e /opt/service/${name}; then touch /opt/service/${name}-began; sleep 60; fi`;

const AGENT_YAML = `listen: 0.0.0.0:7410
health_listen: 127.0.0.1:7411
identity_dir: /var/lib/sampan-agent/identity
state_dir: /var/lib/sampan-agent
languages:
  php:
    hooks:
      pre_activate: { run: ["sh", "-c", "cat version > /opt/service/hook-ran; ${SLOW('slow')}"] }
      post_activate: { run: ["sh", "-c", "${SLOW('slow-after')}"] }
`;

/** Certificates that live so short that the first deploys meet a renewal. */
const CONTROLLER_YAML = `listen: 0.0.0.0:8080
database: sqlite:/var/lib/sampan-controller/sampan.db
public_hosts: ["${CONTROLLER}"]
identity_dir: /var/lib/sampan-controller/identity
tls: own_ca
agents: { package: /srv/sampan-agent-${VERSION}-linux-x64.tar.gz }
certificates: { lifetime: 20s }
`;

function fileOf(version: string): object {
  return { file_url: `${ORIGIN}/${version}.tar.gz`, filename: `${version}.tar.gz` };
}

function query(body: object): string {
  return new URLSearchParams(Object.entries(body).map(([key, value]) => [key, String(value)])).toString();
}

function pidOf(machine: Machine, unit: string): string {
  return machine.sh(`systemctl show -P MainPID ${unit}`).trim();
}

function serialOf(machine: Machine): string {
  return ofCertificate(machine, 'certificate.serialNumber');
}

function secondsLeft(machine: Machine): number {
  return Number(ofCertificate(machine, '(certificate.validToDate - Date.now()) / 1000'));
}

/** What an expression makes of the agent's certificate. */
function ofCertificate(machine: Machine, expression: string): string {
  const file = '/var/lib/sampan-agent/identity/agent.pem';
  const read = `const certificate = new crypto.X509Certificate(fs.readFileSync('${file}')); ${expression}`;
  return machine.sh(`/opt/sampan-agent/current/bin/node -p "${read}"`).trim();
}
