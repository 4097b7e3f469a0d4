import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '@sampan/shared/version.ts';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PROGRAMS, packageName } from '../../packaging/programs.ts';
import { writeTree } from '../../packaging/write-tree.ts';
import { Machine } from '../helpers/machine.ts';
import { requires } from '../helpers/requires.ts';

const DEPLOYED = { status_code: 200, data: '部署成功!' };

describe.runIf(requires('root', 'patchelf', 'libatomic', 'debootstrap', 'systemd-nspawn'))(
  'what npm run package makes',
  () => {
    const shared = inject('packages');
    let machine: Machine;

    beforeAll(async () => {
      machine = await Machine.boot(shared);
      for (const { name } of PROGRAMS) {
        machine.sh(`mkdir -p /pkg/${name} && tar -xzf /shared/${name}-*.tar.gz -C /pkg/${name} --strip-components=1`);
      }
    }, 300_000);
    afterAll(async () => {
      await machine?.[Symbol.asyncDispose]();
    });

    it('is the same from the same sources', async () => {
      for (const program of PROGRAMS) {
        const name = packageName(program);
        await writeTree(program, join(shared, 'again', name));
        const sums = (tree: string) => readFileSync(join(shared, tree, name, 'SHA256SUMS'), 'utf8');
        expect(sums('again')).toBe(sums('trees'));
      }
      const listed = spawnSync('tar', ['-tvzf', join(shared, `sampan-agent-${VERSION}-linux-x64.tar.gz`), '--utc'], {
        encoding: 'utf8',
      });
      const files = listed.stdout
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('d'));
      expect(files.filter((line) => !/ 0\/0 +\d+ 2026-01-01 00:00 /.test(line))).toEqual([]);
    }, 120_000);

    it('does not start an agent that nobody was told to obey', () => {
      expect(machine.sh('/pkg/sampan-agent/install.sh')).toContain('not started: this host has no identity yet');
      expect(machine.try('systemctl is-active sampan-agent').stdout).toBe('inactive\n');
      expect(machine.sh('systemctl is-enabled sampan-agent')).toBe('enabled\n');
    });

    it('is installed twice as once, and keeps an edited configuration', () => {
      machine.sh(`cat > /etc/sampan/agent.yaml <<'END'\n${AGENT_YAML}END\n`);
      expect(machine.sh('/pkg/sampan-agent/install.sh')).toMatch(/agent\.yaml stays as it is\n.*\n.*: active\n$/);
      const pid = pidOf('sampan-agent');
      expect(machine.sh('/pkg/sampan-agent/install.sh')).toContain('runs already');
      expect(pidOf('sampan-agent')).toBe(pid);
      expect(machine.sh('cat /etc/sampan/agent.yaml')).toBe(AGENT_YAML);
      expect(machine.sh('cd /opt/sampan-agent && ls && readlink current')).toBe(`${VERSION}\ncurrent\n${VERSION}\n`);
      expect(machine.sh('/pkg/sampan-controller/install.sh')).toMatch(/: active\n$/);
      expect(machine.sh('systemctl show -P User sampan-controller; curl -fsS http://127.0.0.1:8080/healthz')).toMatch(
        /^sampan-controller\n/,
      );
    });

    it('is two units that systemd finds nothing wrong with', () => {
      const { code, stdout, stderr } = machine.try(
        'systemd-analyze verify --man=no /etc/systemd/system/sampan-*.service',
      );
      expect({ code, said: stdout + stderr }).toEqual({ code: 0, said: '' });
      // As ARCHITECTURE has it.
      expect(machine.sh('systemd-analyze security --no-pager sampan-agent | tail -n 1')).toContain(': 4.1 OK');
    });

    it('goes on when the controller is told to reload, whether or not it has something to read again', () => {
      const pid = pidOf('sampan-controller');
      machine.sh('systemctl reload sampan-controller; curl -fsS http://127.0.0.1:8080/healthz');
      expect(pidOf('sampan-controller')).toBe(pid);
    });

    it('deploys below /root, with hooks, and restarts programs of a real supervisord', () => {
      machine.sh(
        'systemctl start supervisor; mkdir -p /srv/o; cd /srv/o; systemd-run -q -u origin python3 -m http.server 9000 -d /srv/o',
      );
      machine.sh('until curl -fs http://127.0.0.1:9000 >/dev/null; do sleep 0.1; done');
      expect(deployPhp('web-1')).toEqual(DEPLOYED);
      expect(machine.sh('cat /root/service/web/version; cat /root/service/hook-ran')).toBe('web-1\nweb-1\n');
      const text = '[program:api]\ncommand=/opt/api/api/run\ndirectory=/opt/api\nstartsecs=1\n';
      expect(call('init_deploy', { ...API, superconf_content: text })).toEqual({
        status_code: 200,
        data: '初始化成功!',
      });
      makePackage('api-1', 'echo "#!/bin/sh" > run; echo "exec sleep 1000" >> run; chmod +x run');
      const order = { link_name: 'api', deploy_dir: 'api', is_restart: true, ...fileOf('api-1') };
      expect(call('deploy', { ...API, ...order })).toEqual(DEPLOYED);
      expect(machine.sh('supervisorctl status api')).toMatch(/^api +RUNNING/);
    }, 120_000);

    it('comes back in seconds when it is killed, and a deploy goes on over a restart', async () => {
      const pid = pidOf('sampan-agent');
      machine.sh(`kill -9 ${pid}`);
      await expect.poll(() => machine.try('curl -fs http://127.0.0.1:7411/healthz').code).toBe(0);
      expect(pidOf('sampan-agent')).not.toBe(pid);
      machine.sh('touch /root/service/slow');
      const deploying = machine.begin(callLine('deploy', phpOrder('web-2')));
      await expect.poll(() => machine.try('test -e /root/service/slow-began').code).toBe(0);
      machine.sh(`rm /root/service/slow; kill -9 ${pidOf('sampan-agent')}`);
      expect(JSON.parse(await deploying)).toEqual(DEPLOYED);
      expect(machine.sh('cat /root/service/web/version')).toBe('web-2\n');
    }, 120_000);

    it('is upgraded by the next package, whose release before stays', () => {
      const before = pidOf('sampan-agent');
      machine.sh(
        'cp -R /pkg/sampan-agent /pkg/next; cd /pkg/next; echo 9.9.9 > VERSION; sha256sum VERSION | { read -r s _; sed -i "s#^.*  VERSION\\$#$s  VERSION#" SHA256SUMS; }',
      );
      expect(machine.sh('/pkg/next/install.sh')).toContain('version 9.9.9 is installed');
      expect(machine.sh('cd /opt/sampan-agent && ls && readlink current')).toBe(`${VERSION}\n9.9.9\ncurrent\n9.9.9\n`);
      expect(pidOf('sampan-agent')).not.toBe(before);
      expect(machine.sh(`readlink /proc/${pidOf('sampan-agent')}/exe`)).toBe('/opt/sampan-agent/9.9.9/bin/node\n');
      expect(machine.sh('cat /etc/sampan/agent.yaml')).toBe(AGENT_YAML);
      expect(machine.sh('echo >> /pkg/next/VERSION; /pkg/next/install.sh 2>&1 || true')).toContain(
        'this package is damaged',
      );
    });

    it('is uninstalled without its configuration and data, and with them when that is said', () => {
      machine.sh('/pkg/sampan-agent/install.sh --uninstall');
      expect(machine.try('systemctl is-active sampan-agent; ls /opt/sampan-agent /usr/local/bin').stdout).toBe(
        'inactive\n/usr/local/bin:\nsampan-controller\n',
      );
      machine.sh('test -e /etc/sampan/agent.yaml -a -e /var/lib/sampan-agent/agent-id; cat /root/service/web/version');
      machine.sh(
        '/pkg/sampan-agent/install.sh --uninstall --purge; /pkg/sampan-controller/install.sh --uninstall --purge',
      );
      expect(machine.try('ls -d /etc/sampan /var/lib/sampan-*; id sampan-controller').stdout).toBe('');
      expect(machine.sh('cat /root/service/web/version')).toBe('web-2\n');
    });

    function pidOf(unit: string): string {
      return machine.sh(`systemctl show -P MainPID ${unit}`).trim();
    }

    function deployPhp(version: string): unknown {
      return JSON.parse(machine.sh(callLine('deploy', phpOrder(version))));
    }

    function phpOrder(version: string): object {
      makePackage(version, `echo ${version} > version`);
      return {
        project_name: 'shop',
        link_name: 'web',
        language: 'php',
        server_list: ['127.0.0.1'],
        ...fileOf(version),
      };
    }

    function makePackage(version: string, script: string): void {
      machine.sh(`mkdir -p /tmp/${version} && cd /tmp/${version} && ${script} && tar -czf /srv/o/${version}.tar.gz .`);
    }

    function call(path: string, body: object): unknown {
      return JSON.parse(machine.sh(callLine(path, body)));
    }
  },
);

const API = { project_name: 'api', language: 'golang', server_list: ['127.0.0.1'] };

/** The hook is told to be slow, and to say when it has begun, by files. */
const HOOK =
  'cat version > /root/service/hook-ran; if test -e /root/service/slow; then touch /root/service/slow-began; sleep 60; fi';

const AGENT_YAML = `listen: 127.0.0.1:7410
state_dir: /var/lib/sampan-agent
languages:
  php:
    base_dir: /root/service
    hooks: { pre_activate: { run: ["sh", "-c", "${HOOK}"] } }
`;

function callLine(path: string, body: object): string {
  return `curl -sS http://127.0.0.1:8080/${path} -d '${JSON.stringify(body)}'`;
}

function fileOf(version: string): object {
  return { file_url: `http://127.0.0.1:9000/${version}.tar.gz`, filename: `${version}.tar.gz` };
}
