import { mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isAllowedAbsolute, linkRefusal } from '@sampan/agent/unpack/link-refusal.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../../../helpers/temp-dir.ts';

const bounds = { root: '', allowLinksTo: ['/opt/jdk'] };

function refusal(links: Record<string, string>, root = '') {
  const all = new Map(Object.entries(links).map(([path, target]) => [path, { target }]));
  const [last = ''] = [...all.keys()].slice(-1);
  return linkRefusal(last, all, { ...bounds, root });
}

describe('the last of these links', () => {
  it.each<[Record<string, string>, ReturnType<typeof refusal>]>([
    [{ l: 'a' }, undefined],
    [{ l: '.' }, undefined],
    [{ l: '..' }, 'link_outside'],
    [{ 'd/l': '..' }, undefined],
    [{ 'd/l': '../..' }, 'link_outside'],
    [{ 'd/l': '../../x' }, 'link_outside'],
    [{ l: 'a/../b' }, undefined],
    [{ l: 'a/../../b' }, 'link_outside'],
    [{ l: 'l' }, undefined],
    [{ a: 'b', b: 'a' }, undefined],
    [{ up: '.', l: 'up/..' }, 'link_outside'],
    [{ 'd/up': '..', l: 'd/up/..' }, 'link_outside'],
    [{ 'd/e/up': '../..', l: 'd/e/up/d/../x' }, undefined],
    [{ l: '/opt/jdk/bin/java' }, undefined],
    [{ l: '/etc/passwd' }, 'link_absolute'],
    [{ jdk: '/opt/jdk', l: 'jdk/bin' }, undefined],
    [{ jdk: '/opt/jdk', l: 'jdk/..' }, 'link_outside'],
    [{ bad: '/etc', l: 'bad/passwd' }, 'link_absolute'],
  ])('%j is refused as %s', (links, reason) => {
    expect(refusal(links)).toBe(reason);
  });

  it('stays in the release that is one directory of the archive', () => {
    expect(refusal({ 'app/l': 'x' }, 'app')).toBeUndefined();
    expect(refusal({ 'app/d/l': '..' }, 'app')).toBeUndefined();
    expect(refusal({ 'app/l': '..' }, 'app')).toBe('link_outside');
    expect(refusal({ 'app/l': '../app/x' }, 'app')).toBe('link_outside');
  });
});

it('never lets a link through that the kernel follows out of the release', () => {
  const part = fc.constantFrom('a', 'b', 'c', '..', '.');
  const target = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
  const place = fc.constantFrom('l1', 'd/l2', 'd/e/l3');
  const named = fc.constantFrom('l1', 'd/l2', 'd/e/l3', 'd', 'd/e', 'd/e/l3/..', 'd/l2/..');
  const anyTarget = fc.oneof(
    target,
    fc.tuple(named, target).map(([start, rest]) => `${start}/${rest}`),
  );
  const dir = tempDir();
  let round = 0;
  fc.assert(
    fc.property(fc.dictionary(place, anyTarget, { minKeys: 1, maxKeys: 3 }), (targets) => {
      const links = new Map(Object.entries(targets).map(([path, to]) => [path, { target: to }]));
      if ([...links.keys()].some((path) => linkRefusal(path, links, bounds) !== undefined)) return;
      const root = join(dir, String(round++), 'release');
      mkdirSync(join(root, 'd/e'), { recursive: true });
      for (const name of ['a', 'b', 'd/a', 'd/b', 'd/e/a']) mkdirSync(join(root, name));
      for (const [path, to] of Object.entries(targets)) symlinkSync(to, join(root, path));
      for (const path of links.keys()) expect(`${resolved(join(root, path), root)}/`).toMatch(`${root}/`);
    }),
    { numRuns: 2000 },
  );
});

/** Where the kernel arrives; `root` where it arrives nowhere. */
function resolved(path: string, root: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return root;
  }
}

it.each([
  ['/opt/jdk', true],
  ['/opt//jdk/./bin/', true],
  ['/opt/jdk-21', false],
  ['/opt/jdk/../x', false],
  ['/opt/jdk/../jdk/bin', false],
  ['/opt', false],
])('%s is below /opt/jdk: %s', (target, allowed) => {
  expect(isAllowedAbsolute(target, ['/opt/jdk'])).toBe(allowed);
  expect(isAllowedAbsolute(target, ['/opt/jdk/'])).toBe(allowed);
  expect(isAllowedAbsolute(target, [])).toBe(false);
});

it('allows everything absolute where / is listed', () => {
  expect(isAllowedAbsolute('/etc/passwd', ['/'])).toBe(true);
});
