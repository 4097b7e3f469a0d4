import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { vi } from 'vitest';
import { keptTempDir } from './temp-dir.ts';

const BIN = globSync('/usr/lib/postgresql/*/bin').sort().at(-1) ?? '';

/** A real PostgreSQL server of a test's own, on a socket in a directory of its own; whoever starts it stops it. */
export class TestPostgres {
  readonly #dir: string;
  readonly #as: readonly string[];
  #server: ChildProcess;
  #count = 0;

  static async start(): Promise<TestPostgres> {
    const { dir, as } = ownDirectory();
    const args = ['-D', join(dir, 'data'), '-A', 'trust', '-U', 'sampan', '--no-sync'];
    run([...as, join(BIN, 'initdb'), ...args]);
    const postgres = new TestPostgres(dir, as);
    await postgres.#untilUp();
    return postgres;
  }

  private constructor(dir: string, as: readonly string[]) {
    this.#dir = dir;
    this.#as = as;
    this.#server = this.#spawn();
  }

  /** Another server that follows this one, and has a moment later whatever this one has. Its caller stops it, too. */
  async startStandby(): Promise<TestPostgres> {
    const { dir, as } = ownDirectory();
    const from = ['-h', this.#dir, '-U', 'sampan'];
    run([
      ...as,
      join(BIN, 'pg_basebackup'),
      ...from,
      '-D',
      join(dir, 'data'),
      '-R',
      '-X',
      'stream',
      '--no-sync',
      '-c',
      'fast',
    ]);
    const standby = new TestPostgres(dir, as);
    await standby.#untilUp();
    return standby;
  }

  /** Makes a standby the primary. */
  async promote(): Promise<void> {
    await this.query('postgres', 'select pg_promote()');
  }

  /** Until it has what another one has now. */
  async caughtUpWith(primary: TestPostgres): Promise<void> {
    const [{ at }] = (await rowsAt(primary.url('postgres'), 'select pg_current_wal_lsn()::text as at')) as [
      { at: string },
    ];
    const has = async () => {
      const sql = `select pg_last_wal_replay_lsn() >= '${at}'::pg_lsn as has`;
      return ((await rowsAt(this.url('postgres'), sql)) as [{ has: boolean }])[0].has;
    };
    await vi.waitUntil(has, { timeout: 20_000, interval: 20 });
  }

  /** A database with nothing in it; returns its URL, as `database:` of controller.yaml takes it. */
  async createDatabase(): Promise<string> {
    this.#count += 1;
    const name = `test_${process.pid}_${this.#count}`;
    await this.query('postgres', `create database ${name}`);
    return this.url(name);
  }

  /** The socket that it listens on. */
  get socket(): string {
    return join(this.#dir, '.s.PGSQL.5432');
  }

  url(name: string): string {
    return `postgres://sampan:s3cr3t@localhost/${name}?host=${this.#dir}`;
  }

  async query(database: string, ...statements: string[]): Promise<void> {
    await queryAt(this.url(database), ...statements);
  }

  /** Ends at once, and lets nobody finish: what was committed is there. Starts again when what it returns is called. */
  async crash(): Promise<() => Promise<void>> {
    const ended = once(this.#server, 'exit');
    this.#server.kill('SIGQUIT');
    await ended;
    return async () => {
      this.#server = this.#spawn();
      await this.#untilUp();
    };
  }

  async stop(): Promise<void> {
    if (this.#server.exitCode === null) {
      const ended = once(this.#server, 'exit');
      this.#server.kill('SIGQUIT');
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    const settings = ['listen_addresses=', 'fsync=off', 'shared_buffers=16MB', 'max_connections=100'];
    const options = settings.flatMap((setting) => ['-c', setting]);
    const [file = '', ...args] = [
      ...this.#as,
      join(BIN, 'postgres'),
      '-D',
      join(this.#dir, 'data'),
      '-k',
      this.#dir,
      ...options,
    ];
    return spawn(file, args, { stdio: 'ignore' });
  }

  async #untilUp(): Promise<void> {
    const isUp = () =>
      queryAt(this.url('postgres'), 'select 1').then(
        () => true,
        () => false,
      );
    await vi.waitUntil(isUp, { timeout: 30_000, interval: 50 });
  }
}

/** A directory of a server's own, and how to become the user who may run one: it refuses to run as root. */
function ownDirectory(): { dir: string; as: readonly string[] } {
  const dir = keptTempDir();
  mkdirSync(join(dir, 'data'), { mode: 0o700 });
  if (process.getuid?.() !== 0) return { dir, as: [] };
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  const [uid, gid] = [id('-u'), id('-g')];
  for (const path of [dir, join(dir, 'data')]) chownSync(path, uid, gid);
  return { dir, as: ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'] };
}

function run([file = '', ...args]: readonly string[]): void {
  execFileSync(file, args, { stdio: 'ignore', env: { ...process.env, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' } });
}

/** A wire to a server that can be cut so that the client notices, and the server does not. */
export async function startPostgresProxy(socket: string) {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  const forgotten: Socket[] = [];
  let target: string | undefined = socket;
  const proxy = createServer((client) => {
    if (target === undefined) return void client.destroy();
    const server = connect(target);
    const pair = { client, server };
    pairs.add(pair);
    client.on('error', () => undefined).pipe(server, { end: false });
    server.on('error', () => undefined).pipe(client);
    client.on('close', () => {
      if (pairs.delete(pair)) server.destroy();
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  return {
    /** The same database, over the wire. */
    through: (url: string) => `postgres://sampan:s3cr3t@127.0.0.1:${port}${new URL(url).pathname}`,
    /** The same name leads to another server from now on: undefined, to none. */
    leadTo(socket: string | undefined) {
      target = socket;
    },
    /** Cuts every connection at the client's end; the server goes on waiting. */
    forget() {
      const all = [...pairs];
      pairs.clear();
      for (const { client, server } of all) {
        forgotten.push(server);
        client.destroy();
      }
    },
    async close() {
      for (const one of forgotten) one.destroy();
      for (const { client, server } of pairs) for (const end of [client, server]) end.destroy();
      proxy.close();
    },
  };
}

/** Runs statements on a database, on a connection of their own. */
export async function queryAt(url: string, ...statements: string[]): Promise<void> {
  for (const statement of statements) await rowsAt(url, statement);
}

/** What a query finds. */
export async function rowsAt(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<object>(statement)).rows;
  } finally {
    await client.end();
  }
}
