import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort } from './ports.ts';
import { openSite, type Site } from './site.ts';

const HOSTS = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];
const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 10_000;
const program = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The demo's processes, and where they are. */
export interface Fleet {
  root: string;
  hosts: readonly string[];
  controllerUrl: string;
  /** A file with the header that carries the token, as `curl -H @FILE` takes it, and one with the CA. */
  tokenFile: string;
  caFile: string;
  originUrl: string;
  agentPort: number;
  /** Where the java program answers on each host; undefined where supervisord or java is missing, and `missing` says so. */
  javaPort: number | undefined;
  missing: string[];
  /** The directory that stands in for a host's disk. */
  diskOf(host: string): string;
  /** Asks with the token, believing the CA. */
  ask: Site['ask'];
  stop(): Promise<void>;
}

/** Starts an artifact origin, an agent a host (with a supervisord where there is one) and a controller, and waits until they are ready. `signal` gives up. */
export async function startFleet(root: string, signal: AbortSignal): Promise<Fleet> {
  const children: ChildProcess[] = [];
  const start = (name: string, command: string[]) => children.push(spawnLogged(root, name, command));
  const stopFleet = () => stopAll(children);
  try {
    const ports = {
      agent: await freePort(HOSTS, 7410),
      health: await freePort(HOSTS, 7411),
      controller: await freePort(['127.0.0.1'], 8080),
      origin: await freePort(['127.0.0.1'], 8081),
      java: await freePort(HOSTS, 8761),
    };
    const missing = [
      ['supervisord', '-v'],
      ['java', '-version'],
    ]
      .filter(([name = '', flag = '']) => !runs(name, flag))
      .map(([name]) => `${name}`);
    const diskOf = (host: string) => join(root, host);

    start('origin', [process.execPath, program('./origin.ts'), join(root, 'packages'), '127.0.0.1', `${ports.origin}`]);
    const config = writeYaml(join(root, 'controller.yaml'), {
      listen: `127.0.0.1:${ports.controller}`,
      agents: { port: ports.agent, connect_timeout: '2s' },
      database: `sqlite:${join(root, 'controller/sampan.db')}`,
      identity_dir: join(root, 'controller/identity'),
      tls: 'own_ca',
      auth: { tokens: 'required' },
    });
    const site = await openSite(root, config, `https://127.0.0.1:${ports.controller}`);
    start('controller', site.serve());
    await untilReady(site, `${site.url}/readyz`, signal);
    await site.fetchCa();
    for (const host of HOSTS) {
      mkdirSync(diskOf(host));
      if (missing.length === 0)
        start(`${host}-supervisord`, ['supervisord', '--nodaemon', '-c', supervisordConf(diskOf(host), host)]);
      const agentYaml = writeYaml(join(diskOf(host), 'agent.yaml'), agentConfig(diskOf(host), host, ports));
      await site.join(host, agentYaml);
      start(`${host}-agent`, site.runAgent(agentYaml));
    }
    await Promise.all(HOSTS.map((host) => untilReady(site, `http://${host}:${ports.health}/readyz`, signal)));
    return {
      root,
      hosts: HOSTS,
      controllerUrl: site.url,
      tokenFile: site.tokenFile,
      caFile: site.caFile,
      ask: site.ask,
      originUrl: `http://127.0.0.1:${ports.origin}`,
      agentPort: ports.agent,
      javaPort: missing.length === 0 ? ports.java : undefined,
      missing,
      diskOf,
      stop: stopFleet,
    };
  } catch (error) {
    await stopFleet();
    throw error;
  }
}

function agentConfig(disk: string, host: string, ports: { agent: number; health: number }) {
  const log_file = join(disk, 'log/{project_name}/{logname}');
  return {
    listen: `${host}:${ports.agent}`,
    health_listen: `${host}:${ports.health}`,
    state_dir: join(disk, 'agent'),
    identity_dir: join(disk, 'identity'),
    languages: {
      php: { base_dir: join(disk, 'opt/service'), log_file },
      java: { base_dir: join(disk, 'opt/service'), log_file },
      golang: { base_dir: join(disk, 'opt/{deploy_dir}'), log_file },
    },
    supervisor: {
      ctl: ['supervisorctl', '-c', join(disk, 'supervisord.conf')],
      conf_file: join(disk, '{project_name}.ini'),
      settle: '1s',
    },
  };
}

/** A supervisord of this host's own: its socket and its programs lie on the host's disk. */
function supervisordConf(disk: string, host: string): string {
  const path = join(disk, 'supervisord.conf');
  const conf = [
    `[supervisord]\nlogfile=${disk}/supervisord.log\npidfile=${disk}/supervisord.pid\nchildlogdir=${disk}\nenvironment=HOST_ADDRESS="${host}"`,
    `[unix_http_server]\nfile=${disk}/supervisor.sock`,
    '[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface',
    `[supervisorctl]\nserverurl=unix://${disk}/supervisor.sock`,
    `[include]\nfiles=${disk}/*.ini\n`,
  ];
  writeFileSync(path, conf.join('\n\n'));
  return path;
}

function writeYaml(path: string, value: unknown): string {
  writeFileSync(path, stringify(value));
  return path;
}

function runs(name: string, flag: string): boolean {
  return spawnSync(name, [flag], { stdio: 'ignore' }).status === 0;
}

function spawnLogged(root: string, name: string, [file = '', ...args]: string[]): ChildProcess {
  const log = openSync(join(root, `${name}.log`), 'a');
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', log, log] });
  closeSync(log);
  return child;
}

/** Readiness, asked until it is there. What a process printed is the explanation when it is not. */
async function untilReady({ root, ask }: Site, url: string, signal: AbortSignal): Promise<void> {
  const giveUpAt = Date.now() + START_DEADLINE_MS;
  for (;;) {
    const answer = await ask(url).catch((error: unknown) => ({ status: 0, text: String(error) }));
    if (answer.status === 200) return;
    if (Date.now() > giveUpAt) throw new Error(`${url} is not ready: ${answer.text}\n${logsIn(root)}`);
    await delay(100, undefined, { signal });
  }
}

function logsIn(root: string): string {
  return ['controller', ...HOSTS.map((host) => `${host}-agent`)]
    .map((name) => join(root, `${name}.log`))
    .filter((file) => existsSync(file))
    .map((file) => `--- ${file}\n${readFileSync(file, 'utf8')}`)
    .join('\n');
}

/** Asks every process to stop, and kills what does not. The agents go first: a supervisord ends what they may ask it about. */
async function stopAll(children: ChildProcess[]): Promise<void> {
  const supervisors = children.filter(({ spawnfile }) => spawnfile === 'supervisord');
  await Promise.all(children.filter((child) => !supervisors.includes(child)).map(stop));
  await Promise.all(supervisors.map(stop));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}
