import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { listens } from './listens.ts';
import { programPath } from './requires.ts';

const READY_MS = 20_000;

/** A web server of a test's own, as a php host has it: nginx in front of php-fpm with opcache. */
export interface PhpStack {
  /** php-fpm's master writes its pid here. */
  pidFile: string;
  /** What nginx answers to `GET path`: `200 text`. */
  get(path: string): Promise<string>;
  stop(): Promise<void>;
}

/** The two ways to write it in nginx. */
export type DocumentRoot = '$document_root' | '$realpath_root';

/**
 * Starts nginx and php-fpm on unix sockets in `dir`, with `documentRoot` (the link) as root. opcache never looks at a file's time
 * again, as on hosts that are tuned for speed: whoever wants new code has to tell it.
 */
export async function startPhp(dir: string, documentRoot: string, root: DocumentRoot): Promise<PhpStack> {
  mkdirSync(dir, { recursive: true });
  const socket = join(dir, 'nginx.sock');
  const pidFile = join(dir, 'php-fpm.pid');
  const isRoot = process.getuid?.() === 0;
  writeFileSync(join(dir, 'php-fpm.conf'), fpmConfig(dir, pidFile, isRoot));
  writeFileSync(join(dir, 'nginx.conf'), nginxConfig({ dir, socket, documentRoot, root, isRoot }));
  const opcache = ['opcache.enable=1', 'opcache.validate_timestamps=0'].flatMap((setting) => ['-d', setting]);
  const children = [
    start('php-fpm*', [
      '--nodaemonize',
      '--fpm-config',
      join(dir, 'php-fpm.conf'),
      ...opcache,
      ...(isRoot ? ['-R'] : []),
    ]),
    start('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', join(dir, 'nginx.log')]),
  ];
  const stop = async () => {
    await Promise.all(children.map(end));
  };
  try {
    await untilListening([join(dir, 'php-fpm.sock'), socket]);
  } catch (error) {
    await stop();
    throw new Error(`nginx and php-fpm did not start:\n${logsIn(dir)}`, { cause: error });
  }
  return { pidFile, get: (path) => get(socket, path), stop };
}

function fpmConfig(dir: string, pidFile: string, isRoot: boolean): string {
  return `[global]
pid = ${pidFile}
error_log = ${dir}/php-fpm.log
; A reload lets requests that run finish; without this line it kills them.
process_control_timeout = 10s
[www]
listen = ${dir}/php-fpm.sock
${isRoot ? 'user = root\ngroup = root' : ''}
pm = static
pm.max_children = 2
`;
}

function nginxConfig(of: { dir: string; socket: string; documentRoot: string; root: DocumentRoot; isRoot: boolean }) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${of.dir}/tmp;`,
  );
  return `${of.isRoot ? 'user root;' : ''}
daemon off;
master_process off;
pid ${of.dir}/nginx.pid;
events {}
http {
  access_log off;
${temporary.join('\n')}
  server {
    listen unix:${of.socket};
    root ${of.documentRoot};
    location / {
      fastcgi_pass unix:${of.dir}/php-fpm.sock;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param SCRIPT_FILENAME ${of.root}$fastcgi_script_name;
      fastcgi_param DOCUMENT_ROOT ${of.root};
    }
  }
}
`;
}

function start(program: string, args: string[]): ChildProcess {
  return spawn(programPath(program) ?? program, args, { stdio: 'ignore' });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  // A php-fpm that is starting itself anew after a reload forgets a signal.
  const again = setInterval(() => child.kill('SIGTERM'), 500);
  await ended;
  clearInterval(again);
}

async function untilListening(sockets: string[]): Promise<void> {
  const giveUpAt = Date.now() + READY_MS;
  for (const path of sockets) {
    while (!(await listens(path))) {
      if (Date.now() > giveUpAt) throw new Error(`nothing listens on ${path}`);
      await delay(20);
    }
  }
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, agent: false }, (response) => {
      text(response).then((body) => resolve(`${response.statusCode} ${body}`), reject);
    });
    sent.on('error', reject).end();
  });
}

function logsIn(dir: string): string {
  return ['php-fpm.log', 'nginx.log']
    .map((name) => {
      try {
        return `--- ${name}\n${readFileSync(join(dir, name), 'utf8')}`;
      } catch {
        return `--- no ${name}`;
      }
    })
    .join('\n');
}
