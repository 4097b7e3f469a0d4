import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TreeLine, treeHeader, verifyTree } from '@sampan/agent/releases/tree-file.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../../helpers/temp-dir.ts';

const signal = new AbortController().signal;
const lines: TreeLine[] = [
  ['app', 'd', 0o755, 0, 0],
  ['app/d', 'd', 0o700, 0, 0],
  ['app/d/f', 'f', 0o644, 4, 1_600_000_000],
  ['app/l', 'l', 0, 0, 0, 'd/f'],
];

let root: string;
let treeFile: string;
beforeEach(() => {
  root = tempDir();
  chmodSync(root, 0o755);
  mkdirSync(join(root, 'd'), { mode: 0o700 });
  writeFileSync(join(root, 'd/f'), 'text', { mode: 0o644 });
  utimesSync(join(root, 'd/f'), 1, 1_600_000_000);
  symlinkSync('d/f', join(root, 'l'));
  treeFile = join(tempDir(), 'tree.jsonl');
  writeFileSync(treeFile, treeHeader('app', 20) + lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
});

const file = () => join(root, 'd/f');

it('finds nothing in a tree that is as it was, with more beside it', async () => {
  writeFileSync(join(root, 'd/cache'), 'of the application');
  expect(await verifyTree(treeFile, root, signal)).toBeUndefined();
});

describe('says in words what is different:', () => {
  it.each<[string, () => void]>([
    ['d/f is missing', () => rmSync(file())],
    ['d/f has 5 bytes, expected 4', () => writeFileSync(file(), 'texts')],
    ['d/f was modified at 1600000001, expected 1600000000', () => utimesSync(file(), 1, 1_600_000_001)],
    ['d/f has mode 755, expected 644', () => chmodSync(file(), 0o755)],
    ['d/f has mode 4644, expected 644', () => chmodSync(file(), 0o4644)],
    ['d has mode 755, expected 700', () => chmodSync(join(root, 'd'), 0o755)],
    ['the release has mode 700, expected 755', () => chmodSync(root, 0o700)],
    ['the release is missing', () => rmSync(root, { recursive: true })],
  ])('%s', async (difference, change) => {
    change();
    expect(await verifyTree(treeFile, root, signal)).toBe(difference);
  });

  it('a type', async () => {
    rmSync(file());
    symlinkSync('/etc/passwd', file());
    expect(await verifyTree(treeFile, root, signal)).toBe('d/f is a symlink, expected a file');
  });

  it('a link', async () => {
    rmSync(join(root, 'l'));
    symlinkSync('d', join(root, 'l'));
    expect(await verifyTree(treeFile, root, signal)).toBe('l points at d, expected d/f');
  });

  it('a file in place of a directory', async () => {
    rmSync(join(root, 'd'), { recursive: true });
    writeFileSync(join(root, 'd'), '');
    expect(await verifyTree(treeFile, root, signal)).toBe('d is a file, expected a directory');
  });
});

it.each([
  ['is missing', () => rmSync(treeFile), /^its tree file cannot be read: ENOENT/],
  ['is empty', () => writeFileSync(treeFile, ''), /^its tree file is empty$/],
  ['is cut', () => writeFileSync(treeFile, `${treeHeader('', 0)}["a","f"`), /^its tree file cannot be read: /],
  [
    'is of another format',
    () => writeFileSync(treeFile, '{"format":2}\n'),
    /^its tree file cannot be read: its first line is/,
  ],
])('does not take a release for unchanged whose tree file %s', async (_, damage, words) => {
  damage();
  expect(await verifyTree(treeFile, root, signal)).toMatch(words);
});

it('knows a bare file', async () => {
  writeFileSync(treeFile, `${treeHeader('app.jar', 7)}["app.jar","f",420,4,1600000000]\n`);
  expect(await verifyTree(treeFile, file(), signal)).toBeUndefined();
  writeFileSync(file(), 'other');
  expect(await verifyTree(treeFile, file(), signal)).toBe('the release has 5 bytes, expected 4');
});

it('lets others work while it looks at 40,000 entries, and can be aborted', async () => {
  const many = Array.from({ length: 40_000 }, () => '["app/d/f","f",420,4,1600000000]\n');
  writeFileSync(treeFile, treeHeader('app', 20) + many.join(''));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  expect(await verifyTree(treeFile, root, signal)).toBeUndefined();
  clearInterval(timer);
  expect(turns).toBeGreaterThan(5);
  const abort = new AbortController();
  const why = new Error('enough');
  setTimeout(() => abort.abort(why), 5);
  await expect(verifyTree(treeFile, root, abort.signal)).rejects.toBe(why);
});

it('has a header of one length, whatever it says', () => {
  expect(treeHeader('', 10)).toHaveLength(treeHeader('ten-bytes!', 10).length);
});
