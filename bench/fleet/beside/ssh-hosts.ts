import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programPath } from '../../../test/setup/system-requirements.ts';
import { runProgram } from '../../processes/run-program.ts';
import { startServer } from '../../processes/start-server.ts';

/** What sshd wants for itself, and Debian's unit makes at its start. */
const PRIVILEGE_SEPARATION_DIR = '/run/sshd';
/** Of one sshd. */
const MAX_LISTEN_ADDRESSES = 16;
const READY_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 50;
const STOP_WITHIN_MS = 5_000;

/** sshd of the benchmark's own, on the addresses that stand in for hosts. Nothing of the system's own ssh is read or written. */
export interface SshHosts extends AsyncDisposable {
  port: number;
  user: string;
  /** The client's private key. */
  key: string;
  knownHosts: string;
  /** For `ssh -F`: a connection for each command. */
  config: string;
  /** For `ssh -F`: with ControlPersist. */
  persistentConfig: string;
  /** Where whoever keeps connections open has his sockets. What is in it is told to end. */
  sockets: string;
}

export async function startSshHosts(
  hosts: readonly string[],
  { dir, port, signal }: { dir: string; port: number; signal: AbortSignal },
): Promise<SshHosts> {
  await using started = new AsyncDisposableStack();
  const path = (name: string) => join(dir, name);
  const user = userInfo().username;
  await makeKey(path('host_key'), signal);
  await makeKey(path('client_key'), signal);
  const hostKey = await readFile(path('host_key.pub'), 'utf8');
  await writeFile(path('known_hosts'), hosts.map((host) => `[${host}]:${port} ${hostKey}`).join(''));
  const isMadeHere = await mkdir(PRIVILEGE_SEPARATION_DIR).then(
    () => true,
    () => false,
  );
  if (isMadeHere) started.defer(() => rmdir(PRIVILEGE_SEPARATION_DIR).catch(() => undefined));
  for (let from = 0; from < hosts.length; from += MAX_LISTEN_ADDRESSES) {
    const own = hosts.slice(from, from + MAX_LISTEN_ADDRESSES);
    const config = path(`sshd_config_${from}`);
    await writeFile(config, sshdConfig(own, { dir, port }));
    const sshd = started.use(startServer([programPath('sshd') ?? 'sshd', '-D', '-e', '-f', config]));
    await Promise.race([untilItAnswers({ host: own[0] ?? '', port }, signal), sshd.failed]);
  }
  // In a place of their own: the names of sockets have to be short.
  const sockets = await mkdtemp(join(tmpdir(), 'sampan-ssh-'));
  started.defer(() => rm(sockets, { recursive: true, force: true }));
  const config = clientConfig({ dir, port, user });
  await writeFile(path('ssh_config'), config);
  const persistence = ['ControlMaster auto', 'ControlPersist 10m', `ControlPath ${sockets}/%h`, ''].join('\n');
  await writeFile(path('persistent_config'), config + persistence);
  started.defer(() => endConnections(sockets, path('ssh_config')));
  const all = started.move();
  return {
    port,
    user,
    key: path('client_key'),
    knownHosts: path('known_hosts'),
    config: path('ssh_config'),
    persistentConfig: path('persistent_config'),
    sockets,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function makeKey(file: string, signal: AbortSignal): Promise<void> {
  await runProgram(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', file], signal);
}

function sshdConfig(hosts: readonly string[], { dir, port }: { dir: string; port: number }): string {
  return [
    `Port ${port}`,
    ...hosts.map((host) => `ListenAddress ${host}`),
    `HostKey ${dir}/host_key`,
    `AuthorizedKeysFile ${dir}/client_key.pub`,
    'PidFile none',
    'StrictModes no',
    'PermitRootLogin prohibit-password',
    'AuthenticationMethods publickey',
    'UsePAM no',
    'UseDNS no',
    'PrintMotd no',
    'LogLevel ERROR',
    // As many at once as there are hosts here.
    'MaxStartups 200:30:400',
    'MaxSessions 100',
    'Subsystem sftp internal-sftp',
    '',
  ].join('\n');
}

function clientConfig({ dir, port, user }: { dir: string; port: number; user: string }): string {
  return [
    `Port ${port}`,
    `User ${user}`,
    `IdentityFile ${dir}/client_key`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile ${dir}/known_hosts`,
    'GlobalKnownHostsFile none',
    'StrictHostKeyChecking yes',
    'BatchMode yes',
    'LogLevel ERROR',
    '',
  ].join('\n');
}

async function untilItAnswers(at: { host: string; port: number }, signal: AbortSignal): Promise<void> {
  const giveUpAtMs = performance.now() + READY_WITHIN_MS;
  while (!(await takesConnections(at))) {
    if (performance.now() > giveUpAtMs) throw new Error(`sshd takes no connections on ${at.host}:${at.port}`);
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

function takesConnections(at: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(at)
      .on('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .on('error', () => resolve(false));
  });
}

/** Those that outlive their commands are told to end; they would in ten minutes anyway. */
async function endConnections(sockets: string, config: string): Promise<void> {
  const stops = (await readdir(sockets)).map((socket) =>
    runProgram(
      ['ssh', '-F', config, '-o', `ControlPath=${join(sockets, socket)}`, '-O', 'exit', 'host'],
      AbortSignal.timeout(STOP_WITHIN_MS),
    ),
  );
  await Promise.allSettled(stops);
}
