import { appendFile, mkdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Caller } from './caller.ts';
import type { Fleet } from './fleet.ts';
import { heading, paint, print } from './print.ts';

interface Scene {
  fleet: Fleet;
  caller: Caller;
}

const deployed = { status_code: 200, data: '部署成功!' };
const rolledBack = { status_code: 200, data: '回滚成功!' };

/** The whole story, in order. Each part is what a CI job or an SRE would do, and what they must be told. */
export async function tellStory(scene: Scene): Promise<void> {
  const parts = [
    firstDeploy,
    secondVersion,
    missingFile,
    brokenArchive,
    deadHost,
    rollback,
    unknownVersion,
    golang,
    readLog,
  ];
  const java = scene.fleet.javaPort === undefined ? [javaWithoutSupervisor] : [javaProgram, javaCrash];
  let number = 0;
  for (const part of [...parts, ...java]) {
    number += 1;
    await part(scene, (title) => heading(number, title));
  }
}

type Part = (scene: Scene, title: (text: string) => void) => Promise<void>;

const firstDeploy: Part = async ({ fleet, caller }, title) => {
  title('Deploy a php release to three hosts');
  await caller.post('/deploy', shop(fleet, '1.0.0'), deployed);
  await expectShop({ fleet, caller }, '1.0.0');
};

const secondVersion: Part = async ({ fleet, caller }, title) => {
  title('Version 2: one rename flips each link, there is no moment without one');
  await caller.post('/deploy', shop(fleet, '1.1.0'), deployed);
  await expectShop({ fleet, caller }, '1.1.0');
  const [host = ''] = fleet.hosts;
  const link = join(fleet.diskOf(host), 'opt/service/shop');
  await caller.see(`readlink ${link}`, () => readlink(link), '.deploy/shop-1.1.0');
};

const missingFile: Part = async ({ fleet, caller }, title) => {
  title('A package that is not there: every host says why, and stays as it was');
  const order = { ...shop(fleet, '9.9.9') };
  await caller.post('/deploy', order, { status_code: 501, data: onAll(fleet, '下载文件失败: HTTP 404') });
  await expectShop({ fleet, caller }, '1.1.0');
};

const brokenArchive: Part = async ({ fleet, caller }, title) => {
  title('An archive that is cut in half: nothing of it ever becomes a release');
  await caller.post('/deploy', shop(fleet, '1.2.0'), {
    status_code: 501,
    data: onAll(fleet, /^解压文件失败: 压缩包损坏/),
  });
  await expectShop({ fleet, caller }, '1.1.0');
};

const deadHost: Part = async ({ fleet, caller }, title) => {
  title('A host that is down: only that one is reported, the others are deployed');
  const order = { ...shop(fleet, '1.1.0'), server_list: [...fleet.hosts, '127.0.0.9'] };
  await caller.post('/deploy', order, { status_code: 501, data: { '127.0.0.9': /^Agent连接失败/ } });
};

const rollback: Part = async ({ fleet, caller }, title) => {
  title('Back again: no download, the old release still stands on every disk');
  const { file_url: _, ...order } = shop(fleet, '1.0.0');
  await caller.post('/rollback', order, rolledBack);
  await expectShop({ fleet, caller }, '1.0.0');
};

const unknownVersion: Part = async ({ fleet, caller }, title) => {
  title('A version that was never there: the answer names those that are');
  const { file_url: _, ...order } = shop(fleet, '0.0.1');
  const text = '目标版本不存在: shop-0.0.1, 可回滚的版本: shop-1.1.0';
  await caller.post('/rollback', order, { status_code: 501, data: onAll(fleet, text) });
};

const golang: Part = async ({ fleet, caller }, title) => {
  title('A golang release, into its deploy_dir');
  const order = {
    project_name: 'mp-profile',
    link_name: 'profile',
    server_list: fleet.hosts,
    file_url: `${fleet.originUrl}/profile-1.0.0.tar.gz`,
    filename: 'profile-1.0.0.tar.gz',
    language: 'golang',
    is_restart: false,
    deploy_dir: 'profile',
  };
  await caller.post('/deploy', order, deployed);
  const query = {
    project_name: 'mp-profile',
    language: 'golang',
    link_name: 'profile',
    server_list: fleet.hosts.join(','),
    deploy_dir: 'profile',
  };
  await caller.get('/get_current_version', query, versions(fleet, 'profile-1.0.0'));
};

const readLog: Part = async ({ fleet, caller }, title) => {
  title('The last lines of a log');
  for (const host of fleet.hosts) {
    const dir = join(fleet.diskOf(host), 'log/mp-shop');
    await mkdir(dir, { recursive: true });
    await appendFile(join(dir, 'info.log'), `INFO 舢板 靠岸 ${host}\n`.repeat(3));
  }
  const query = {
    project_name: 'mp-shop',
    server_list: fleet.hosts.join(','),
    logname: 'info.log',
    language: 'php',
    line: '2',
  };
  const lines = Object.fromEntries(fleet.hosts.map((host) => [host, `INFO 舢板 靠岸 ${host}\n`.repeat(2)]));
  await caller.get('/get_latest_log', query, { status_code: 200, data: { succeed: lines, failed: {} } });
};

const javaProgram: Part = async ({ fleet, caller }, title) => {
  title('A java program under supervisord: config first, then the jar, then the restart');
  const init = {
    project_name: 'mp-eureka',
    server_list: fleet.hosts,
    language: 'java',
    superconf_content: eurekaConf(fleet),
  };
  await caller.post('/init_deploy', init, { status_code: 200, data: '初始化成功!' });
  for (const version of ['1.0.0', '1.1.0']) {
    await caller.post('/deploy', eureka(fleet, version), deployed);
    await expectProgram({ fleet, caller }, version);
  }
};

const javaCrash: Part = async ({ fleet, caller }, title) => {
  title('A jar that crashes at start: the link goes back, and the old program runs again');
  const text = /^服务重启失败: eureka .*; 已恢复到原版本, 当前版本 eureka-1\.1\.0\.jar$/s;
  await caller.post('/deploy', eureka(fleet, '1.2.0'), { status_code: 501, data: onAll(fleet, text) });
  await expectProgram({ fleet, caller }, '1.1.0');
  const query = {
    project_name: 'mp-eureka',
    server_list: fleet.hosts.join(','),
    logname: 'info.log',
    language: 'java',
    line: '1',
  };
  const last = 'INFO 舢板 eureka 1.1.0 is up\n';
  await caller.get('/get_latest_log', query, { status_code: 200, data: { succeed: onAll(fleet, last), failed: {} } });
  const { file_url: _, ...order } = eureka(fleet, '1.0.0');
  await caller.post('/rollback', order, rolledBack);
  await expectProgram({ fleet, caller }, '1.0.0');
};

const javaWithoutSupervisor: Part = async ({ fleet, caller }, title) => {
  title(`A jar, without a restart: this machine has no ${fleet.missing.join(' and no ')}`);
  print(paint('yellow', `  Install ${fleet.missing.join(' and ')} to see the program run, crash and come back.`));
  await caller.post('/deploy', { ...eureka(fleet, '1.0.0'), is_restart: false }, deployed);
};

function shop(fleet: Fleet, version: string) {
  return {
    project_name: 'mp-shop',
    link_name: 'shop',
    server_list: fleet.hosts,
    file_url: `${fleet.originUrl}/shop-${version}.tar.gz`,
    filename: `shop-${version}.tar.gz`,
    language: 'php',
  };
}

function eureka(fleet: Fleet, version: string) {
  return {
    project_name: 'mp-eureka',
    link_name: 'eureka',
    server_list: fleet.hosts,
    file_url: `${fleet.originUrl}/eureka-${version}.jar`,
    filename: `eureka-${version}.jar`,
    language: 'java',
    is_restart: true,
  };
}

/** One text for all hosts: `%(here)s` is where the host's supervisord.conf lies, HOST_ADDRESS comes from it. */
function eurekaConf({ javaPort }: Fleet): string {
  return [
    '[program:eureka]',
    `command=/bin/sh -c 'exec java -jar opt/service/eureka "$HOST_ADDRESS" ${javaPort} log/mp-eureka/info.log'`,
    'directory=%(here)s',
    'startsecs=1',
    'startretries=0',
    'redirect_stderr=true',
    'stdout_logfile=%(here)s/log/mp-eureka/out.log',
    '',
  ].join('\n');
}

async function expectShop({ fleet, caller }: Scene, version: string): Promise<void> {
  const query = { project_name: 'mp-shop', language: 'php', link_name: 'shop', server_list: fleet.hosts.join(',') };
  await caller.get('/get_current_version', query, versions(fleet, `shop-${version}`));
}

async function expectProgram({ fleet, caller }: Scene, version: string): Promise<void> {
  for (const host of fleet.hosts) {
    const url = `http://${host}:${fleet.javaPort}/`;
    await caller.see(`curl -s ${url}`, async () => (await fetch(url)).text(), `eureka ${version}`);
  }
}

function versions(fleet: Fleet, version: string) {
  return { status_code: 200, data: { succeed: onAll(fleet, version), failed: {} } };
}

function onAll<T>({ hosts }: Fleet, value: T): Record<string, T> {
  return Object.fromEntries(hosts.map((host) => [host, value]));
}
