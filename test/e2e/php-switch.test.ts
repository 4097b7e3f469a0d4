import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tarball } from '../helpers/archives.ts';
import { requires } from '../helpers/requires.ts';
import { type DocumentRoot, type PhpStack, startPhp } from '../helpers/start-php.ts';
import { startSystem, type TestSystem } from '../helpers/start-system.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const RELOAD = fileURLToPath(new URL('../../examples/reload-php-fpm.sh', import.meta.url));

describe.runIf(requires('nginx', 'php-fpm'))('php behind nginx, opcache never looking at files again', () => {
  it('serves the new version after a deploy and the old one after a rollback, with $realpath_root and no reload', async () => {
    const { system, php } = await start('$realpath_root', {});
    await deployAndBack(system, php);
  });

  it('serves the new version after a deploy and the old one after a rollback, with $document_root and reload', async () => {
    const { system, php } = await start('$document_root', { reload: true });
    await deployAndBack(system, php);
  });

  it('goes on serving the old version with $document_root and no reload: one of the two is needed', async () => {
    const { system, php } = await start('$document_root', {});
    expect(await system.deploy(shop('1.0.0'))).toEqual(system.deployed);
    expect(await php.get('/index.php')).toBe(page('1.0.0'));
    expect(await system.deploy(shop('1.1.0'))).toEqual(system.deployed);
    expect(await system.version(shop('1.1.0'))).toBe('shop-1.1.0');
    for (let n = 0; n < 20; n += 1) expect(await php.get('/index.php')).toBe(page('1.0.0'));
  });

  it('reload-php-fpm.sh returns when nothing runs old code any more, and lets requests that run finish', async () => {
    const dir = tempDir();
    mkdirSync(join(dir, 'site'));
    const begun = join(dir, 'begun');
    // One long sleep would end with the first signal.
    const slow = `<?php touch('${begun}'); for ($n = 0; $n < 250; $n++) usleep(2000); echo 'finished';`;
    writeFileSync(join(dir, 'site/slow.php'), slow);
    const php = await startPhp(join(dir, 'web'), join(dir, 'site'), '$document_root');
    onTestFinished(() => php.stop());
    const order: string[] = [];
    const answered = php.get('/slow.php').then((answer) => order.push(answer));
    while (!existsSync(begun)) await delay(10);
    await promisify(execFile)('sh', [RELOAD, php.pidFile]);
    order.push('reloaded');
    await answered;
    expect(order).toEqual(['200 finished', 'reloaded']);
  });
});

/** Two versions, there and back twice; every answer after the API's is of the version that it named, from every worker. */
async function deployAndBack(system: TestSystem, php: PhpStack): Promise<void> {
  for (const version of ['1.0.0', '1.1.0']) {
    expect(await system.deploy(shop(version))).toEqual(system.deployed);
    await expectEveryAnswer(php, version);
  }
  for (const version of ['1.0.0', '1.1.0', '1.0.0']) {
    expect(await system.rollback(shop(version))).toEqual(system.rolledBack);
    await expectEveryAnswer(php, version);
  }
}

async function expectEveryAnswer(php: PhpStack, version: string): Promise<void> {
  const answers = await Promise.all(Array.from({ length: 20 }, () => php.get('/index.php')));
  expect(new Set(answers)).toEqual(new Set([page(version)]));
}

/** The page says what its own file says and what a file that it includes says, and whether opcache is on. */
function shop(version: string) {
  const files = {
    'index.php': `<?php require __DIR__ . '/lib/version.php'; echo 'index ${version}, included ', VERSION, ', opcache ', opcache_get_status(false)['opcache_enabled'] ? 'on' : 'off';`,
    'lib/version.php': `<?php const VERSION = '${version}';`,
  };
  return { language: 'php', link_name: 'shop', filename: `shop-${version}.tar.gz`, bytes: tarball(files) };
}

function page(version: string): string {
  return `200 index ${version}, included ${version}, opcache on`;
}

async function start(root: DocumentRoot, { reload = false }): Promise<{ system: TestSystem; php: PhpStack }> {
  const dir = tempDir();
  const webDir = join(dir, 'web');
  mkdirSync(webDir);
  const system = await startSystem({
    languages: reload ? { php: { reload: ['sh', RELOAD, join(webDir, 'php-fpm.pid')] } } : {},
  });
  onTestFinished(() => system.stop());
  const php = await startPhp(webDir, join(system.agent.serviceDir, 'shop'), root);
  onTestFinished(() => php.stop());
  return { system, php };
}
