import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  areTokensRequired,
  type ControllerConfig,
  isReachable,
  loadControllerConfig,
} from '@sampan/controller/config.ts';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';

const defaults: ControllerConfig = {
  listen: { host: '127.0.0.1', port: 8080 },
  database: '/var/lib/sampan-controller/sampan.db',
  public_hosts: [],
  agents: { port: 7410, connect_timeout: 5000, package: null },
  identity_dir: null,
  certificates: { lifetime: 90 * 24 * 3_600_000 },
  tls: null,
  auth: { tokens: 'auto', allow_ips: [], trusted_proxies: [] },
  audit: { keep: 400 * 24 * 3_600_000 },
  rollouts: { max_parallel: 200, restart_parallel: 20, timeout: 1_800_000 },
  shutdown_grace: 25_000,
  log_level: 'info',
};

function load(yaml: string) {
  const file = join(tempDir(), 'controller.yaml');
  writeFileSync(file, yaml);
  try {
    return loadControllerConfig(file);
  } catch (error) {
    return (error as Error).message.replace(file, 'FILE');
  }
}

describe('controller.yaml', () => {
  it('has a default for everything', () => {
    expect(load('')).toEqual(defaults);
  });

  it('is not needed: without it the database lies under ./.sampan', () => {
    const file = resolve('.sampan/controller/sampan.db');
    expect(loadControllerConfig(undefined)).toEqual({ ...defaults, database: file });
  });

  it('reads what is written', () => {
    const yaml = `
listen: "[::1]:9000"
database: sqlite:/srv/sampan.db
public_hosts: [Deploy.Example.com]
agents: { port: 7500, connect_timeout: 500ms }
tls: { cert: /etc/api.pem, key: /etc/api.key }
auth: { tokens: required, allow_ips: [127.0.0.1, "10.0.0.0/8", "fd00::/8"], trusted_proxies: ["::1"] }
audit: { keep: 30d }
rollouts: { max_parallel: 10, restart_parallel: 2, timeout: 1m }
shutdown_grace: 1s
log_level: debug
`;
    expect(load(yaml)).toEqual({
      listen: { host: '::1', port: 9000 },
      database: '/srv/sampan.db',
      public_hosts: ['deploy.example.com'],
      agents: { port: 7500, connect_timeout: 500, package: null },
      identity_dir: null,
      certificates: { lifetime: 90 * 24 * 3_600_000 },
      tls: { cert: '/etc/api.pem', key: '/etc/api.key' },
      auth: { tokens: 'required', allow_ips: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'], trusted_proxies: ['::1'] },
      audit: { keep: 30 * 24 * 3_600_000 },
      rollouts: { max_parallel: 10, restart_parallel: 2, timeout: 60_000 },
      shutdown_grace: 1000,
      log_level: 'debug',
    });
  });

  it.each([
    ['sqlite:sampan.db', 'sampan.db'],
    ['sqlite:./data/sampan.db', 'data/sampan.db'],
  ])('finds %s from its own directory', (database, path) => {
    const dir = tempDir();
    const file = join(dir, 'controller.yaml');
    writeFileSync(file, `database: ${database}\n`);
    expect(loadControllerConfig(file).database).toBe(join(dir, path));
  });

  it.each(['postgres://sampan:s3cr3t@db/sampan', 'postgresql://db/sampan'])(
    'takes the URL of a PostgreSQL as it is: %s',
    (url) => {
      expect(load(`database: ${url}`)).toMatchObject({ database: url });
    },
  );

  it('takes the three slashes of a URL for one', () => {
    expect(load('database: sqlite:///srv/sampan.db')).toMatchObject({ database: '/srv/sampan.db' });
  });

  it.each([
    ['"sqlite::memory:"', 'what is in memory does not outlive a crash; expected RULE'],
    ['mysql://root:s3cr3t@db/sampan', 'expected RULE, got mysql://db/sampan'],
    ['sqlite://sampan.db', 'expected RULE, got sqlite://sampan.db'],
    ['"sqlite:"', 'expected RULE, got "sqlite:"'],
    ['./sampan.db', 'expected RULE, got "./sampan.db"'],
  ])('refuses the database %s', (database, fault) => {
    const rule =
      'sqlite: and a path, such as sqlite:/var/lib/sampan-controller/sampan.db, or postgres://user:password@host/database';
    expect(load(`database: ${database}`)).toBe(`FILE cannot be used:\n  database: ${fault.replace('RULE', rule)}`);
  });

  it.each([
    ['listen: 0.0.0.0:8080', true, true],
    ['listen: 127.0.0.1:8080', false, false],
    ['listen: "[::1]:8080"', false, false],
    // A proxy brings others to where only this machine could call.
    ['auth: { trusted_proxies: [127.0.0.1] }', true, true],
    ['auth: { tokens: required }', false, true],
    ['{ listen: 0.0.0.0:8080, auth: { tokens: off, allow_ips: [10.0.0.0/8] } }', true, false],
    ['auth: { tokens: off }', false, false],
  ])('%s: others can call: %s, tokens are required: %s', (yaml, reachable, required) => {
    const config = load(yaml);
    if (typeof config === 'string') throw new Error(config);
    expect([isReachable(config), areTokensRequired(config)]).toEqual([reachable, required]);
  });

  it.each(['{ listen: 0.0.0.0:8080, auth: { tokens: off } }', 'auth: { tokens: off, trusted_proxies: [127.0.0.1] }'])(
    'refuses to let everybody in: %s',
    (yaml) => {
      const host = yaml.includes('0.0.0.0') ? '0.0.0.0' : '127.0.0.1';
      expect(load(yaml)).toBe(
        `FILE cannot be used:\n  auth.tokens: off would let everybody in who reaches ${host}; expected required, or a list of clients in auth.allow_ips, who may then call the five documented endpoints and nothing else`,
      );
    },
  );

  it('finds certificates from its own directory', () => {
    const dir = tempDir();
    const file = join(dir, 'controller.yaml');
    writeFileSync(file, 'tls: { cert: tls/api.pem, key: /etc/api.key }\n');
    expect(loadControllerConfig(file).tls).toEqual({ cert: join(dir, 'tls/api.pem'), key: '/etc/api.key' });
    expect(load('tls: own_ca')).toMatchObject({ tls: 'own_ca' });
  });

  it('reports all faults together, by path', () => {
    const yaml = `
listen: nowhere
database: ./sampan.db
agents: { port: 70000, connect_timeout: 5, tls: {} }
auth: { tokens: some, allow_ips: [10.0.0.0/33, here], trusted_proxies: [nginx] }
tls: api.pem
rollouts: { max_parallel: 0 }
log_level: loud
`;
    expect(load(yaml)).toBe(
      [
        'FILE cannot be used:',
        'listen: expected an address such as 127.0.0.1:8080, got "nowhere"',
        'database: expected sqlite: and a path, such as sqlite:/var/lib/sampan-controller/sampan.db, or postgres://user:password@host/database, got "./sampan.db"',
        'agents.port: Too big: expected number to be <=65535',
        'agents.connect_timeout: expected a duration such as 30s, got 5',
        'agents.tls: unknown key',
        'tls: expected { cert: FILE, key: FILE }, own_ca, or null for plain HTTP',
        'auth.tokens: Invalid option: expected one of "auto"|"required"|"off"',
        'auth.allow_ips.0: expected an IP address or a range such as 10.0.0.0/8, got "10.0.0.0/33"',
        'auth.allow_ips.1: expected an IP address or a range such as 10.0.0.0/8, got "here"',
        'auth.trusted_proxies.0: expected an IP address or a range such as 10.0.0.0/8, got "nginx"',
        'rollouts.max_parallel: Too small: expected number to be >=1',
        'log_level: Invalid option: expected one of "trace"|"debug"|"info"|"warn"|"error"|"silent"',
      ].join('\n  '),
    );
  });
});
