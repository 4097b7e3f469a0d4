import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  environmentOf,
  filesOf,
  identityOf,
  processTree,
  releasesInUse,
  releasesShown,
} from '../../../../packages/agent/src/host/processes.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

/** A process that prints a line once it runs, then waits to be ended. */
async function running(
  argv: [string, ...string[]],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<number> {
  const [file, ...args] = argv;
  const child = spawn(file, args, { cwd: '/', ...options, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  onTestFinished(() => {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  });
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

describe('what /proc says of a process', () => {
  it('who it is, though its name holds spaces and parentheses', async () => {
    const dir = tempDir();
    copyFileSync('/bin/sh', join(dir, 'a) S 1 (b'));
    const pid = await running([join(dir, 'a) S 1 (b'), '-c', 'echo; sleep 1000; true']);
    const identity = await identityOf(pid);
    expect(identity).toEqual({ parent: process.pid, startTicks: expect.any(Number) });
    expect(identity?.startTicks).toBeGreaterThan(0);
    expect(await identityOf(pid)).toEqual(identity);
  });

  it('nothing, once it has ended', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    expect(await identityOf(child.pid ?? 0)).toBeUndefined();
    expect(await filesOf(child.pid ?? 0)).toEqual({ paths: [], argv: [] });
    expect(await environmentOf(child.pid ?? 0)).toBeUndefined();
  });

  it('its descendants', async () => {
    const pid = await running(['sh', '-c', 'sh -c "sleep 1000; true" & sleep 0.1; echo; wait']);
    const tree = await processTree(pid);
    expect(tree[0]).toBe(pid);
    expect(tree.length).toBeGreaterThanOrEqual(3);
  });

  it('its executable, directory, open files, arguments and environment', async () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'app.jar'), '');
    const pid = await running(['sh', '-c', `exec 3< app.jar; rm app.jar; echo; sleep 1000; true`], {
      cwd: dir,
      env: { A: 'b=c', PATH: '/bin' },
    });
    const { paths, argv } = await filesOf(pid);
    expect(paths).toEqual(expect.arrayContaining([dir, join(dir, 'app.jar')]));
    expect(argv.slice(0, 2)).toEqual(['sh', '-c']);
    expect((await environmentOf(pid))?.get('A')).toBe('b=c');
  });
});

describe('the releases that processes use', () => {
  it('are found by cwd, executable, open file and argument, through links, and not in our own directories', async () => {
    const base = tempDir();
    const releases = join(base, '.deploy');
    for (const name of ['by-cwd', 'by-exe', 'by-fd', 'by-argument', 'unused', '.meta'])
      mkdirSync(join(releases, name), { recursive: true });
    symlinkSync('.deploy/by-cwd', join(base, 'zeus'));
    copyFileSync('/bin/sleep', join(releases, 'by-exe/sleep'));
    writeFileSync(join(releases, 'by-fd/app.jar'), '');
    const started = 'echo; sleep 1000; true';
    await running(['sh', '-c', started], { cwd: join(base, 'zeus') });
    symlinkSync('.deploy/by-exe/sleep', join(base, 'tool'));
    await running(['sh', '-c', `echo; exec ${base}/tool 1000`]);
    await running(['sh', '-c', `exec 3< "$JAR"; ${started}`], {
      env: { JAR: join(releases, 'by-fd/app.jar'), PATH: '/bin' },
    });
    await running(['sh', '-c', started, `-Dhome=${releases}/by-argument/etc:/x`]);
    await running(['sh', '-c', started], { cwd: join(releases, '.meta') });
    await expect
      .poll(async () => [...(await releasesInUse(releases))].sort())
      .toEqual(['by-argument', 'by-cwd', 'by-exe', 'by-fd']);
  });

  it('are looked for below exactly one directory', () => {
    const files = {
      paths: ['/opt/a/.deploy/one/x', '/opt/b/.deploy/two', '/opt/a/.deployed/three'],
      argv: ['-cp', '/opt/a/.deploy/four.jar:/opt/a/.deploy/five.jar'],
    };
    expect([...releasesShown(files, '/opt/a/.deploy')]).toEqual(['one', 'four.jar', 'five.jar']);
  });
});
