import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { tarball } from '../helpers/archives.ts';
import { readTree } from '../helpers/read-tree.ts';
import { requires } from '../helpers/requires.ts';
import { startSystem, type TestSystem } from '../helpers/start-system.ts';
import { startSupervisord, type TestSupervisord } from '../helpers/supervisord.ts';
import { keptTempDir } from '../helpers/temp-dir.ts';

const shop = { project_name: 'mp-shop', link_name: 'shop', language: 'java', is_restart: true };
const api = { project_name: 'mp-api', link_name: 'api', language: 'java' };
const cart = { project_name: 'mp-cart', link_name: 'cart', language: 'php' };

/** A host as the SSH service has left it: three projects in one base, absolute links, no manifests. */
describe.runIf(requires('supervisord'))('a host of the old SSH service', { timeout: 60_000 }, () => {
  let host: string;
  let supervisord: TestSupervisord;
  let system: TestSystem;
  let laidOut: string[];
  let before: { tree: Record<string, unknown>; pids: Record<string, number> };

  beforeAll(async () => {
    host = keptTempDir();
    layOut(host);
    laidOut = readdirSync(join(host, 'service/.deploy'));
    supervisord = await startSupervisord();
    supervisord.include('old.conf', programs(host));
    await supervisord.run('update');
    await supervisord.untilRunning('shop:shop-web', 'shop:shop-worker', 'cart:cart-queue', 'api');
    before = { tree: treeOfOthers(), pids: await pidsOfOthers() };
    system = await startSystem({
      agent: { supervisor: { ctl: supervisord.ctl, settle: '300ms' }, releases: { keep: 1 } },
      languages: printedLanguages('README.md', host),
    });
  }, 60_000);
  afterAll(async () => {
    await system?.stop();
    await supervisord?.stop();
    rmSync(host, { recursive: true, force: true });
  });

  it('is taken over by what README says to write, in both languages', () => {
    expect(printedLanguages('README.zh-CN.md', host)).toEqual(printedLanguages('README.md', host));
  });

  it('tells the versions that its absolute links name, the bare jar by its whole name', async () => {
    expect(await system.version({ ...shop, filename: '' })).toBe('shop-1.2.0');
    expect(await system.version({ ...api, filename: '' })).toBe('api-3.jar');
    expect(await system.version({ ...cart, filename: '' })).toBe('cart-5.0');
  });

  it('gets exactly its old link back, and its old programs, when the first deploy fails', async () => {
    const bytes = tarball({ 'run.sh': 'exit 3\n', 'version.txt': '1.2.9' });
    expect(await system.deploy({ ...shop, filename: 'shop-1.2.9.tar.gz', bytes })).toEqual({
      status_code: 501,
      data: {
        [system.agent.host]: expect.stringMatching(/^服务重启失败: shop.*; 已恢复到原版本, 当前版本 shop-1\.2\.0$/s),
      },
    });
    expect(readlinkSync(link('shop'))).toBe(join(host, 'service/.deploy/shop-1.2.0'));
    expect(await running()).toEqual({ web: '1.2.0', worker: '1.2.0' });
    await expectOthersUntouched();
  });

  it('deploys a project: our link, the hook of old, its group restarted through the link, nobody else touched', async () => {
    expect(await system.deploy({ ...shop, filename: 'shop-1.3.0.tar.gz', bytes: packed('1.3.0') })).toEqual(
      system.deployed,
    );
    expect(readlinkSync(link('shop'))).toBe('.deploy/shop-1.3.0');
    expect(readFileSync(join(link('shop'), 'post-deployed'), 'utf8')).toBe('by 1.3.0\n');
    expect(await running()).toEqual({ web: '1.3.0', worker: '1.3.0' });
    await expectOthersUntouched();
  });

  it('goes back to what the old link named, though it has no archive', async () => {
    expect(await system.rollback({ ...shop, filename: 'shop-1.2.0.tar.gz' })).toEqual(system.rolledBack);
    expect(readlinkSync(link('shop'))).toBe('.deploy/shop-1.2.0');
    expect(await system.version({ ...shop, filename: '' })).toBe('shop-1.2.0');
    expect(await running()).toEqual({ web: '1.2.0', worker: '1.2.0' });
    await expectOthersUntouched();
  });

  it('goes back to an older release that is what its archive holds', async () => {
    expect(await system.rollback({ ...shop, filename: 'shop-1.1.0.tar.gz' })).toEqual(system.rolledBack);
    expect(readlinkSync(link('shop'))).toBe('.deploy/shop-1.1.0');
    expect(await running()).toEqual({ web: '1.1.0', worker: '1.1.0' });
    await expectOthersUntouched();
  });

  it('does not offer the half-unpacked directory, whoever asks for it', async () => {
    expect(await system.rollback({ ...shop, filename: 'shop-1.0.0.tar.gz' })).toEqual(
      failed(
        '目标版本不可用: shop-1.0.0 由旧服务部署, 与压缩包不一致: static/2.bin has 51200 bytes, expected 65536, 请重新部署该版本',
      ),
    );
    expect(await system.rollback({ ...shop, filename: 'shop-0.9.tar.gz' })).toEqual(
      failed('目标版本不存在: shop-0.9, 可回滚的版本: shop-1.3.0, shop-1.2.0'),
    );
    expect(readlinkSync(link('shop'))).toBe('.deploy/shop-1.1.0');
    await expectOthersUntouched();
  });

  it.each([
    [
      'a timestamped copy, which has no archive',
      'shop-1.1.0_20240301123000',
      '不能确认其完整, 旁边没有压缩包可供核对: shop-1.1.0_20240301123000.tar.gz, shop-1.1.0_20240301123000.tgz, shop-1.1.0_20240301123000.tar',
    ],
    ['what another project runs', 'cart-5.0', '属于其他软连接: cart'],
  ])('does not go back to %s', async (_what, version, reason) => {
    expect(await system.rollback({ ...shop, filename: `${version}.tar.gz` })).toEqual(
      failed(`目标版本不可用: ${version} 由旧服务部署, ${reason}, 请重新部署该版本`),
    );
    expect(readlinkSync(link('shop'))).toBe('.deploy/shop-1.1.0');
  });

  it('keeps all that it did not make, whatever retention and filename_delete ask for', async () => {
    for (const version of ['1.4.0', '1.5.0', '1.6.0', '1.7.0']) {
      const order = { ...shop, filename: `shop-${version}.tar.gz`, filename_delete: 'shop-1.1.0.tar.gz' };
      expect(await system.deploy({ ...order, is_restart: false, bytes: packed(version) })).toEqual(system.deployed);
    }
    await expect.poll(() => readdirSync(join(host, 'service/.deploy'))).not.toContain('shop-1.4.0');
    expect(readdirSync(join(host, 'service/.deploy'))).toEqual(expect.arrayContaining(laidOut));
    await expectOthersUntouched();
  });

  it('reads the log where the old service wrote it', async () => {
    const of = { project_name: 'mp-shop', language: 'java', logname: 'info.log', line: 2 };
    expect(await system.latestLog(of)).toBe('second\nthird\n');
  });

  it('takes the half release when it is deployed again, beside the half', async () => {
    const order = { ...shop, filename: 'shop-1.0.0.tar.gz' };
    expect(await system.deploy({ ...order, bytes: packed('1.0.0') })).toEqual(system.deployed);
    expect(readlinkSync(link('shop'))).toBe('.deploy/shop-1.0.0~2');
    expect(await system.version(order)).toBe('shop-1.0.0');
    await expectOthersUntouched();
  });

  it('moves the jar project as well: to an old jar that is whole, not to one that is cut', async () => {
    expect(await system.rollback({ ...api, filename: 'api-1.jar' })).toEqual(
      failed('目标版本不可用: api-1.jar 由旧服务部署, 文件不完整: no zip end record, 请重新部署该版本'),
    );
    expect(readlinkSync(link('api'))).toBe(join(host, 'service/.deploy/api-3.jar'));
    await expectOthersUntouched();
    expect(await system.rollback({ ...api, filename: 'api-2.jar' })).toEqual(system.rolledBack);
    expect(readlinkSync(link('api'))).toBe('.deploy/api-2.jar');
    expect(await system.version({ ...api, filename: '' })).toBe('api-2.jar');
  });

  function link(name: string): string {
    return join(host, 'service', name);
  }

  function failed(text: string) {
    return { status_code: 501, data: { [system.agent.host]: text } };
  }

  /** Which version each of the shop's programs runs, by the directory that its process is in. */
  async function running(): Promise<Record<string, string>> {
    const pids = await supervisord.untilRunning('shop:shop-web', 'shop:shop-worker');
    const versionOf = (pid: number | undefined) => readFileSync(`/proc/${pid}/cwd/version.txt`, 'utf8').trim();
    return { web: versionOf(pids['shop:shop-web']), worker: versionOf(pids['shop:shop-worker']) };
  }

  async function expectOthersUntouched(): Promise<void> {
    expect(treeOfOthers()).toEqual(before.tree);
    expect(await pidsOfOthers()).toEqual(before.pids);
  }

  async function pidsOfOthers(): Promise<Record<string, number>> {
    const pids = await supervisord.pids();
    return Object.fromEntries(Object.entries(pids).filter(([name]) => !name.startsWith('shop:')));
  }

  /** All that was laid out, the shop's link aside: type, mode, owner, content, inode and time of each entry. */
  function treeOfOthers(): Record<string, unknown> {
    const places = [...laidOut.map((name) => join('.deploy', name)), 'api', 'cart'];
    return Object.fromEntries(
      places.flatMap((place) =>
        [...readTree(join(host, 'service', place))].map(([path, entry]) => {
          const { ino, mtimeNs } = lstatSync(join(host, 'service', place, path), { bigint: true });
          return [join(place, path), { ...entry, ino, mtimeNs }];
        }),
      ),
    );
  }
});

/** The lines of agent.yaml that a README shows for such a host, for one whose files lie below `host` in place of /root. */
function printedLanguages(page: string, host: string): Record<string, Record<string, unknown>> {
  const text = readFileSync(fileURLToPath(new URL(`../../${page}`, import.meta.url)), 'utf8');
  const block = text.split('```yaml\n').find((part) => part.includes('____post-deploy.sh')) ?? '';
  return parse(block.slice(0, block.indexOf('```')).replaceAll('/root/', `${host}/`)).languages;
}

const RUN = 'exec sleep 100000\n';
const POST_DEPLOY = 'echo "by $(cat version.txt)" > post-deployed\n';

/** What CI builds of the shop today. */
function packed(version: string): Buffer {
  return tarball({ 'run.sh': RUN, 'version.txt': version, '____post-deploy.sh': POST_DEPLOY });
}

function layOut(host: string): void {
  const deploy = join(host, 'service/.deploy');
  mkdirSync(deploy, { recursive: true });
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) build(deploy, `shop-${version}`, version);
  unpack(deploy, 'shop-1.1.0');
  cpSync(join(deploy, 'shop-1.1.0'), join(deploy, 'shop-1.1.0_20240301123000'), { recursive: true });
  unpack(deploy, 'shop-1.2.0');
  cpSync(join(deploy, 'shop-1.2.0'), join(deploy, 'shop-1.2.0-20240301123000'), { recursive: true });
  cpSync(join(deploy, 'shop-1.2.0'), join(deploy, 'shop-1.2.020240301123001'), { recursive: true });
  // Somebody has cleaned up; what the link names is all that is left of it.
  rmSync(join(deploy, 'shop-1.2.0.tar.gz'));
  unpackHalf(deploy, 'shop-1.0.0');
  build(deploy, 'cart-5.0', '5.0');
  unpack(deploy, 'cart-5.0');
  for (const jar of ['api-1.jar', 'api-2.jar', 'api-3.jar']) writeFileSync(join(deploy, jar), jarOf(jar));
  truncateSync(join(deploy, 'api-1.jar'), 60);
  symlinkSync(join(deploy, 'shop-1.2.0'), join(host, 'service/shop'));
  symlinkSync(join(deploy, 'cart-5.0'), join(host, 'service/cart'));
  symlinkSync(join(deploy, 'api-3.jar'), join(host, 'service/api'));
  mkdirSync(join(host, 'log'));
  writeFileSync(join(host, 'log/info.log'), 'first\nsecond\nthird\n');
}

/** An archive as CI packed it, by GNU tar, with the release as its single directory. */
function build(deploy: string, name: string, version: string): void {
  const source = join(deploy, 'build', name);
  mkdirSync(join(source, 'static'), { recursive: true });
  writeFileSync(join(source, 'run.sh'), RUN);
  writeFileSync(join(source, 'version.txt'), `${version}\n`);
  writeFileSync(join(source, '____post-deploy.sh'), POST_DEPLOY);
  for (const n of [1, 2, 3]) writeFileSync(join(source, `static/${n}.bin`), Buffer.alloc(64 * 1024, n));
  symlinkSync('static/1.bin', join(source, 'latest.bin'));
  const order = [
    'run.sh',
    'version.txt',
    '____post-deploy.sh',
    'latest.bin',
    'static/1.bin',
    'static/2.bin',
    'static/3.bin',
  ];
  const paths = order.map((path) => `${name}/${path}`);
  execFileSync('tar', ['-czf', join(deploy, `${name}.tar.gz`), '-C', join(deploy, 'build'), ...paths]);
  rmSync(join(deploy, 'build'), { recursive: true });
}

/** What the old service did over SSH: unpack beside the archive, then run the script. */
function unpack(deploy: string, name: string): void {
  execFileSync('tar', ['-xzf', join(deploy, `${name}.tar.gz`), '-C', deploy]);
  execFileSync('sh', ['./____post-deploy.sh'], { cwd: join(deploy, name) });
}

/** The connection broke while tar was at the second of the large files. */
function unpackHalf(deploy: string, name: string): void {
  const bytes = execFileSync('gzip', ['-dc', join(deploy, `${name}.tar.gz`)], { maxBuffer: 1 << 24 });
  const headers = 6 * 512 + 3 * 512;
  const whole = bytes.subarray(0, headers + 64 * 1024 + 50 * 1024);
  expect(spawnSync('tar', ['-xf', '-', '-C', deploy], { input: whole }).status).not.toBe(0);
}

/** A zip of one entry, by hand: local header, content, directory, end. */
function jarOf(name: string): Buffer {
  const content = deflateRawSync(Buffer.from(`the classes of ${name}`.repeat(20)));
  const entryName = Buffer.from('Main.class');
  const local = Buffer.alloc(30);
  local.write('PK\x03\x04', 'latin1');
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(content.length, 18);
  local.writeUInt16LE(entryName.length, 26);
  const central = Buffer.alloc(46);
  central.write('PK\x01\x02', 'latin1');
  central.writeUInt32LE(content.length, 20);
  central.writeUInt16LE(entryName.length, 28);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt32LE(central.length + entryName.length, 12);
  end.writeUInt32LE(local.length + entryName.length + content.length, 16);
  return Buffer.concat([local, entryName, content, central, entryName, end]);
}

/** As people wrote it for the old service: one file, groups, commands that run through the links. */
function programs(host: string): string {
  const base = join(host, 'service');
  const through = (link: string) => `command=sh ${base}/${link}/run.sh\ndirectory=${base}/${link}\nautorestart=false\n`;
  return `[group:shop]
programs=shop-web,shop-worker
[program:shop-web]
${through('shop')}
[program:shop-worker]
${through('shop')}
[group:cart]
programs=cart-queue
[program:cart-queue]
${through('cart')}
[program:api]
command=tail -f ${base}/api
`;
}
