import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished, vi } from 'vitest';
import { freePort } from './free-port.ts';
import { programPath } from './requires.ts';
import { tempDir } from './temp-dir.ts';

const DOCUMENTED = fileURLToPath(new URL('../../docs/pgbouncer.ini', import.meta.url));

/**
 * A PgBouncer that runs the configuration of the docs in front of a server that listens on `socket`; ends with the test. More of the
 * documented text may be replaced, each to be found there once. Returns how a database is reached through it.
 */
export async function startPooler(
  socket: string,
  database: string,
  replace: Record<string, string> = {},
): Promise<string> {
  const dir = tempDir();
  const port = await freePort();
  const name = new URL(database).pathname.slice(1);
  const users = join(dir, 'users.txt');
  const config = join(dir, 'pgbouncer.ini');
  writeFileSync(users, '"sampan" "s3cr3t"\n');
  writeFileSync(
    config,
    replaced(readFileSync(DOCUMENTED, 'utf8'), {
      'sampan = host=db.example port=5432 dbname=sampan': `${name} = host=${dirname(socket)} dbname=${name}`,
      'listen_addr = 10.0.0.7': 'listen_addr = 127.0.0.1',
      'listen_port = 6432': `listen_port = ${port}`,
      '/etc/pgbouncer/userlist.txt': users,
      // What packages set, and others may have elsewhere.
      '[pgbouncer]\n': '[pgbouncer]\nunix_socket_dir =\n',
      ...replace,
    }),
  );
  const [file = '', ...args] = [...asPostgres(dir, users, config), programPath('pgbouncer') ?? 'pgbouncer', config];
  const pooler = spawn(file, args, { stdio: 'ignore' });
  const ended = once(pooler, 'exit');
  onTestFinished(async () => {
    pooler.kill('SIGINT');
    await ended;
  });
  await vi.waitUntil(() => isOpen(port), { timeout: 20_000, interval: 20 });
  return `postgres://sampan:s3cr3t@127.0.0.1:${port}/${name}`;
}

/** It refuses to run as root. */
function asPostgres(...paths: string[]): string[] {
  if (process.getuid?.() !== 0) return [];
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  const [uid, gid] = [id('-u'), id('-g')];
  for (const path of paths) chownSync(path, uid, gid);
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
}

function replaced(text: string, replacements: Record<string, string>): string {
  for (const [from, to] of Object.entries(replacements)) {
    if (text.split(from).length !== 2) throw new Error(`docs/pgbouncer.ini has ${JSON.stringify(from)} not once`);
    text = text.replace(from, to);
  }
  return text;
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  const open = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return open;
}
