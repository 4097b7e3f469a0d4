import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tarball } from '../helpers/archives.ts';
import { layOutOldHost, oldPrograms, packedShop, printedLanguages } from '../helpers/old-host.ts';
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
    layOutOldHost(host);
    laidOut = readdirSync(join(host, 'service/.deploy'));
    supervisord = await startSupervisord();
    supervisord.include('old.conf', oldPrograms(host));
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
    expect(await system.deploy({ ...shop, filename: 'shop-1.3.0.tar.gz', bytes: packedShop('1.3.0') })).toEqual(
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
      expect(await system.deploy({ ...order, is_restart: false, bytes: packedShop(version) })).toEqual(system.deployed);
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
    expect(await system.deploy({ ...order, bytes: packedShop('1.0.0') })).toEqual(system.deployed);
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
