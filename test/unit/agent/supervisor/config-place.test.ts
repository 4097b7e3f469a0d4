import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configPaths } from '../../../../packages/agent/src/supervisor/config-path.ts';
import { globFiles } from '../../../../packages/agent/src/supervisor/glob-files.ts';
import { assertFamily, hostFamily } from '../../../../packages/agent/src/supervisor/host-family.ts';
import { mergeFiles, readInstalledConfig } from '../../../../packages/agent/src/supervisor/installed-config.ts';
import { findProject } from '../../../../packages/agent/src/supervisor/supervisor-host.ts';
import { DeployError } from '../../../../packages/shared/src/errors.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

describe('where the config of a project stands', () => {
  const paths = (includes: string[], family?: 'centos' | 'ubuntu', confFile = 'auto') =>
    configPaths({ confFile, includes, family }, 'mp');

  it.each([
    ['EL, as its package has it', paths(['/etc/supervisord.d/*.ini'], 'centos'), ['/etc/supervisord.d/mp.ini']],
    [
      'Debian, as its package has it',
      paths(['/etc/supervisor/conf.d/*.conf'], 'ubuntu'),
      ['/etc/supervisor/conf.d/mp.conf'],
    ],
    [
      'EL with the include of Debian',
      paths(['/etc/supervisor/conf.d/*.conf'], 'centos'),
      ['/etc/supervisor/conf.d/mp.conf'],
    ],
    ['two includes, on EL', paths(['/a/*.conf', '/b/*.ini'], 'centos'), ['/b/mp.ini', '/a/mp.conf']],
    ['two includes, on Debian', paths(['/b/*.ini', '/a/*.conf'], 'ubuntu'), ['/a/mp.conf', '/b/mp.ini']],
    ['an include of every name', paths(['/a/*'], 'centos'), ['/a/mp.ini']],
    [
      'includes that leave the name open no way',
      paths(['/a/*/*.conf', '/a/web-*.conf', '/a/one.conf', '/a/*.con[f]'], 'ubuntu'),
      ['/etc/supervisor/conf.d/mp.conf'],
    ],
    ['no include, on EL', paths([], 'centos'), ['/etc/supervisord.d/mp.ini']],
    ['no include, on an unknown system', paths([]), ['/etc/supervisor/conf.d/mp.conf']],
    ['a template', paths(['/a/*.conf'], 'ubuntu', '/x/{project_name}/{project_name}.ini'), ['/x/mp/mp.ini']],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual(expected);
  });
});

describe('the family of a host', () => {
  it.each([
    ['ID=ubuntu\nID_LIKE=debian\n', 'ubuntu'],
    ['ID=debian\n', 'ubuntu'],
    ['NAME="CentOS Linux"\nID="centos"\nID_LIKE="rhel fedora"\n', 'centos'],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'centos'],
    ['ID=mine\nID_LIKE="rhel"\n', 'centos'],
    ['ID=arch\n', undefined],
  ])('%j is %s', async (text, family) => {
    const path = join(tempDir(), 'os-release');
    writeFileSync(path, text);
    expect(await hostFamily(path)).toBe(family);
  });

  it('is unknown without an os-release', async () => {
    expect(await hostFamily('/nowhere/os-release')).toBeUndefined();
  });

  it('contradicts another os_system, ignoring case, and only where it is known', () => {
    assertFamily('', 'centos');
    assertFamily('CentOS', 'centos');
    assertFamily('ubuntu', undefined);
    expect(() => assertFamily('ubuntu', 'centos')).toThrow(
      new DeployError('OS_MISMATCH', { found: 'ubuntu', expected: 'centos' }),
    );
  });
});

describe('what supervisord reads', () => {
  /** A directory with a supervisord.conf of this [include], and these files. */
  function installed(include: string, files: Record<string, string | Buffer>): string {
    const dir = tempDir();
    mkdirSync(join(dir, 'conf.d'));
    writeFileSync(
      join(dir, 'supervisord.conf'),
      `[supervisord]\nenvironment=A="1",B=two\n[include]\nfiles=${include}\n`,
    );
    for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
    return dir;
  }

  it('is its own file and what it includes, in the order of patterns and names', async () => {
    const dir = installed('extra.ini conf.d/*.conf\n  %(here)s/more/[ab]?.ini', {
      'extra.ini': '[program:e]\n',
      'conf.d/b.conf': '[program:b]\n',
      'conf.d/a.conf': '[program:a]\n',
      'conf.d/.hidden.conf': '[program:h]\n',
      'conf.d/a.ini': '[program:i]\n',
    });
    const config = await readInstalledConfig(['supervisorctl', '-c', join(dir, 'supervisord.conf')]);
    expect(config.main).toBe(join(dir, 'supervisord.conf'));
    expect(config.includes).toEqual([join(dir, 'extra.ini'), join(dir, 'conf.d/*.conf'), join(dir, 'more/[ab]?.ini')]);
    expect(config.files.map(({ path }) => path.slice(dir.length + 1))).toEqual([
      'supervisord.conf',
      'extra.ini',
      'conf.d/a.conf',
      'conf.d/b.conf',
    ]);
    expect(config.environment).toEqual(
      new Map([
        ['A', '1'],
        ['B', 'two'],
      ]),
    );
  });

  it.each([
    ['-c FILE', (file: string) => ['-c', file]],
    ['-cFILE', (file: string) => [`-c${file}`]],
    ['--configuration FILE', (file: string) => ['--configuration', file]],
    ['--configuration=FILE', (file: string) => [`--configuration=${file}`]],
  ])('is found by %s', async (_, argv) => {
    const file = join(installed('', {}), 'supervisord.conf');
    expect((await readInstalledConfig(['sudo', 'supervisorctl', ...argv(file)])).main).toBe(file);
  });

  it("is found beside the command when -c names a file of the client's alone", async () => {
    const dir = installed('', { 'client.conf': '[supervisorctl]\nserverurl=unix:///x\n' });
    mkdirSync(join(dir, 'bin'));
    const ctl = [join(dir, 'bin/supervisorctl'), '-c', join(dir, 'client.conf')];
    expect((await readInstalledConfig(ctl)).main).toBe(join(dir, 'supervisord.conf'));
  });

  it('says of a broken file what is wrong, and takes nothing from it', async () => {
    const dir = installed('conf.d/*', {
      'conf.d/a': 'nonsense',
      'conf.d/b': Buffer.from([0xff]),
      'conf.d/c': '[program:c]\n',
    });
    const { files } = await readInstalledConfig(['supervisorctl', '-c', join(dir, 'supervisord.conf')]);
    expect(files.map(({ fault }) => fault)).toEqual([
      undefined,
      'line 1: found "nonsense", expected a section header such as [program:name]',
      'it is not UTF-8',
      undefined,
    ]);
    expect([...mergeFiles(files).keys()]).toEqual(['supervisord', 'include', 'program:c']);
  });

  it('merges sections that occur in several files, the last value of a key winning', async () => {
    const dir = installed('conf.d/*', {
      'conf.d/a': '[program:x]\nuser=a\ncommand=a',
      'conf.d/b': '[program:x]\ncommand=b',
    });
    const { files } = await readInstalledConfig(['supervisorctl', '-c', join(dir, 'supervisord.conf')]);
    const values = mergeFiles(files).get('program:x')?.values;
    expect([values?.get('user')?.text, values?.get('command')?.text]).toEqual(['a', 'b']);
  });

  it('is recognised as the file of a project though conf_file spells its directory in another way', async () => {
    const dir = installed('conf.d/*.conf', { 'conf.d/mp.conf': '[program:zeus]\ncommand=x\n' });
    symlinkSync(join(dir, 'conf.d'), join(dir, 'alias'));
    const settings = {
      ctl: ['supervisorctl', '-c', join(dir, 'supervisord.conf')],
      settleMs: 0,
      logRoots: [],
      recordsDir: '',
    };
    const place = await findProject({ ...settings, confFile: join(dir, 'alias/{project_name}.conf') }, 'mp');
    expect([place.path, place.file?.path]).toEqual([join(dir, 'alias/mp.conf'), join(dir, 'conf.d/mp.conf')]);
  });
});

describe('a pattern of [include]', () => {
  it.each([
    ['*.conf', ['a.conf', 'b.conf', 'x{y}.conf']],
    ['?.conf', ['a.conf', 'b.conf']],
    ['[!a].conf', ['b.conf']],
    ['[a-b].conf', ['a.conf', 'b.conf']],
    ['x{y}.conf', ['x{y}.conf']],
    ['x{*', ['x{y}.conf']],
    ['.*', ['.hidden.conf']],
    ['su*/*', ['sub/c.conf']],
    ['nothing*', []],
  ])('%s matches as Python does', async (pattern, expected) => {
    const dir = tempDir();
    mkdirSync(join(dir, 'sub'));
    for (const name of ['a.conf', 'b.conf', '.hidden.conf', 'x{y}.conf', 'c.ini', 'sub/c.conf'])
      writeFileSync(join(dir, name), '');
    expect((await globFiles(join(dir, pattern))).map((path) => path.slice(dir.length + 1))).toEqual(expected);
  });
});
