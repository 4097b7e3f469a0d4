import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { Machine } from '../helpers/machine.ts';
import { layOutOldHost, oldPrograms, packedShop, printedLanguages } from '../helpers/old-host.ts';
import { requires } from '../helpers/requires.ts';

const SHOP = { project_name: 'mp-shop', link_name: 'shop', language: 'java', server_list: ['127.0.0.1'] };

/** The same as moving-from-ssh.test.ts has it, where it matters: in /root, under the hardened unit and a supervisord of the system. */
describe.runIf(requires('root', 'patchelf', 'libatomic', 'debootstrap', 'systemd-nspawn'))(
  'a host of the old SSH service that gets the unit',
  () => {
    const laidOut = join(inject('packages'), 'old-host');
    let machine: Machine;
    let before: string;

    beforeAll(async () => {
      mkdirSync(laidOut);
      layOutOldHost(laidOut, '/root');
      execFileSync('tar', ['-cf', `${laidOut}.tar`, '-C', laidOut, 'service', 'log']);
      mkdirSync(`${laidOut}-origin`);
      writeFileSync(`${laidOut}-origin/shop-1.3.0.tar.gz`, packedShop('1.3.0'));
      machine = await Machine.boot(inject('packages'));
      machine.sh('tar -xf /shared/old-host.tar -C /root');
      machine.sh(`cat > /etc/supervisor/conf.d/old.conf <<'END'\n${oldPrograms('/root')}END\n`);
      machine.sh('systemctl enable --quiet supervisor; systemctl restart supervisor');
      const areRunning = () => /^(\S+ +RUNNING .*\n){4}$/.test(machine.try('supervisorctl status').stdout);
      await vi.waitUntil(areRunning, { timeout: 30_000, interval: 200 });
      machine.sh('systemd-run -q -u origin python3 -m http.server 9000 -d /shared/old-host-origin');
      machine.sh('until curl -fs http://127.0.0.1:9000 >/dev/null; do sleep 0.1; done');
      before = others();
    }, 300_000);
    afterAll(async () => {
      await machine?.[Symbol.asyncDispose]();
      for (const path of [laidOut, `${laidOut}.tar`, `${laidOut}-origin`])
        rmSync(path, { recursive: true, force: true });
    });

    it('is installed, told where things are by what README prints, and nothing is touched', () => {
      for (const name of ['sampan-agent', 'sampan-controller']) {
        machine.sh(`mkdir -p /pkg/${name} && tar -xzf /shared/${name}-*.tar.gz -C /pkg/${name} --strip-components=1`);
      }
      const yaml = stringify({
        listen: '127.0.0.1:7410',
        state_dir: '/var/lib/sampan-agent',
        languages: printedLanguages('README.md', '/root'),
      });
      machine.sh(`mkdir -p /etc/sampan; cat > /etc/sampan/agent.yaml <<'END'\n${yaml}END\n`);
      machine.sh('/pkg/sampan-agent/install.sh; /pkg/sampan-controller/install.sh');
      expect(machine.sh('systemctl is-active sampan-agent sampan-controller')).toBe('active\nactive\n');
      const versions = 'project_name=mp-shop&link_name=shop&language=java&server_list=127.0.0.1';
      expect(JSON.parse(machine.sh(`curl -sS 'http://127.0.0.1:8080/get_current_version?${versions}'`))).toEqual({
        status_code: 200,
        data: { succeed: { '127.0.0.1': 'shop-1.2.0' }, failed: {} },
      });
      expect(others()).toBe(before);
    }, 120_000);

    it('deploys one project with its hook, and restarts its group alone', () => {
      const file = { file_url: 'http://127.0.0.1:9000/shop-1.3.0.tar.gz', filename: 'shop-1.3.0.tar.gz' };
      expect(call('deploy', { ...SHOP, ...file, is_restart: true })).toEqual({ status_code: 200, data: '部署成功!' });
      expect(machine.sh('readlink /root/service/shop; cat /root/service/shop/post-deployed')).toBe(
        '.deploy/shop-1.3.0\nby 1.3.0\n',
      );
      expect(running()).toBe('1.3.0\n1.3.0\n');
      expect(others()).toBe(before);
    }, 120_000);

    it('goes back to an old release that is what its archive holds, and never to the half one', () => {
      const back = (version: string) =>
        call('rollback', { ...SHOP, filename: `shop-${version}.tar.gz`, is_restart: true });
      expect(back('1.1.0')).toEqual({ status_code: 200, data: '回滚成功!' });
      expect(machine.sh('readlink /root/service/shop')).toBe('.deploy/shop-1.1.0\n');
      expect(running()).toBe('1.1.0\n1.1.0\n');
      expect(back('1.0.0')).toEqual({
        status_code: 501,
        data: { '127.0.0.1': expect.stringMatching(/^目标版本不可用: shop-1\.0\.0 由旧服务部署, 与压缩包不一致/) },
      });
      expect(running()).toBe('1.1.0\n1.1.0\n');
      expect(others()).toBe(before);
    }, 120_000);

    it('reads the log where the old service wrote it', () => {
      const asked = 'project_name=mp-shop&language=java&logname=info.log&line=2&server_list=127.0.0.1';
      expect(JSON.parse(machine.sh(`curl -sS 'http://127.0.0.1:8080/get_latest_log?${asked}'`))).toEqual({
        status_code: 200,
        data: { succeed: { '127.0.0.1': 'second\nthird\n' }, failed: {} },
      });
    });

    /** All that was laid out, the shop's link aside, and the processes of the other programs. */
    function others(): string {
      return machine.sh(
        "cd /root/service; find .deploy api cart ! -path '.deploy/.*' ! -path '.deploy/shop-1.3.0*' ! -path .deploy -printf '%p %y %i %m %s %T@ %l\\n' | sort; supervisorctl status | grep -v '^shop:' | sed 's/, uptime.*//'",
      );
    }

    /** Which version each of the shop's two programs runs, by the directory that its process is in. */
    function running(): string {
      return machine
        .sh('for n in web worker; do cat /proc/$(supervisorctl pid shop:shop-$n)/cwd/version.txt; echo; done')
        .replaceAll('\n\n', '\n');
    }

    function call(path: string, body: object): unknown {
      return JSON.parse(machine.sh(`curl -sS http://127.0.0.1:8080/${path} -d '${JSON.stringify(body)}'`));
    }
  },
);
