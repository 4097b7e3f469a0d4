import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { freePort } from './free-port.ts';
import { listens } from './listens.ts';
import { programPath } from './requires.ts';

const DOCUMENTED = fileURLToPath(new URL('../../docs/artifact-cache.nginx.conf', import.meta.url));
const READY_MS = 20_000;

/** An nginx that runs the configuration of the docs as a cache in front of origins. */
export interface ArtifactCache {
  /** For `download.proxy`; in front of a path, the mirror of `mirrored`. */
  url: string;
  /**
   * What was answered, by its log, which follows a moment later: one line a request, sorted, without what differs from run to
   * run, such as `GET 127.0.0.1:80/a.tar.gz 200 MISS`.
   */
  answered(): string[];
  stop(): Promise<void>;
}

export interface ArtifactCacheSettings {
  /** Host and port of an http origin that agents ask for through the proxy. */
  origin?: string;
  /** The https origin that the cache's own name stands for; `ca` is the file that its certificate is judged by. */
  mirrored?: { url: string; ca: string; nameServerPort: number };
  /** More of the documented text to replace, each to be found there once. */
  replace?: Record<string, string>;
}

/** Starts one in `dir`, on a port of its own, until it is stopped or the test has finished. */
export async function startArtifactCache(dir: string, settings: ArtifactCacheSettings): Promise<ArtifactCache> {
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const log = join(dir, 'access.log');
  writeFileSync(join(dir, 'cache.conf'), documentedWith(replacements(dir, port, settings)));
  writeFileSync(join(dir, 'nginx.conf'), mainConfig(dir));
  const nginx = spawn(
    programPath('nginx') ?? 'nginx',
    ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', join(dir, 'start.log')],
    { stdio: 'ignore' },
  );
  const stop = () => end(nginx);
  onTestFinished(stop);
  if (!(await comesUp(port, nginx))) {
    throw new Error(`nginx does not listen:\n${readFileSync(join(dir, 'start.log'), 'utf8')}`);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    answered: () => linesOf(log).map(shortened).sort(),
    stop,
  };
}

/** What the docs leave to whoever installs it. */
function replacements(dir: string, port: number, { origin, mirrored, replace }: ArtifactCacheSettings) {
  return {
    'origin.example http://origin.example;': origin === undefined ? '' : `${origin} http://${origin};`,
    'cache.example:3128 https://secure-origin.example;':
      mirrored === undefined ? '' : `127.0.0.1:${port} ${mirrored.url};`,
    '/etc/ssl/certs/ca-certificates.crt': mirrored?.ca ?? '/etc/ssl/certs/ca-certificates.crt',
    'resolver 192.168.210.2': `resolver 127.0.0.1:${mirrored?.nameServerPort ?? 53} ipv6=off`,
    '/var/cache/sampan-artifacts': join(dir, 'cache'),
    '/var/log/nginx/artifacts.log': join(dir, 'access.log'),
    '/var/log/nginx/artifacts-error.log': join(dir, 'error.log'),
    'listen 3128;': `listen 127.0.0.1:${port};`,
    'allow 192.168.210.0/24;': 'allow 127.0.0.0/8;',
    ...replace,
  };
}

function documentedWith(texts: Record<string, string>): string {
  return Object.entries(texts).reduce(
    (config, [from, to]) => {
      const parts = config.split(from);
      if (parts.length !== 2) throw new Error(`${DOCUMENTED} has "${from}" ${parts.length - 1} times, expected once`);
      return parts.join(to);
    },
    readFileSync(DOCUMENTED, 'utf8'),
  );
}

/** What Debian's own nginx.conf has around it, for a user and directories of this test. */
function mainConfig(dir: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/tmp;`);
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 2;
pid ${dir}/nginx.pid;
events {}
http {
  ${temporary.join('\n  ')}
  gzip on;
  include ${dir}/cache.conf;
}
`;
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

/** `address [time] method place status bytes cache seconds` */
function shortened(line: string): string {
  const [, , method, place, status, , cache] = line.split(' ');
  return `${method} ${place} ${status} ${cache}`;
}

async function comesUp(port: number, nginx: ChildProcess): Promise<boolean> {
  const giveUpAt = Date.now() + READY_MS;
  while (nginx.exitCode === null && nginx.signalCode === null && Date.now() < giveUpAt) {
    if (await listens(port)) return true;
    await delay(20);
  }
  return false;
}

async function end(nginx: ChildProcess): Promise<void> {
  if (nginx.exitCode !== null || nginx.signalCode !== null) return;
  const ended = once(nginx, 'exit');
  nginx.kill('SIGTERM');
  await ended;
}
