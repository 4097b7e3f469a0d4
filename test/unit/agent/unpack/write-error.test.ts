import { refuseEntry } from '@sampan/agent/unpack/refuse-entry.ts';
import { writeError } from '@sampan/agent/unpack/write-error.ts';
import { expect, it } from 'vitest';
import { tempDir } from '../../../helpers/temp-dir.ts';

const entry = 'd/f';

function failure(code: string, syscall = 'open'): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: failed`), { code, syscall });
}

it.each([
  ['ENOSPC', 'DISK_FULL', {}],
  ['EDQUOT', 'DISK_FULL', {}],
  [
    'ENAMETOOLONG',
    'ARCHIVE_ENTRY_REFUSED',
    { entry, reason: 'path_invalid', detail: 'longer than the file system allows' },
  ],
  [
    'EILSEQ',
    'ARCHIVE_ENTRY_REFUSED',
    { entry, reason: 'path_invalid', detail: 'characters that the file system does not allow' },
  ],
  ['EIO', 'DISK_ERROR', { operation: 'open', reason: 'EIO' }],
  ['EROFS', 'DISK_ERROR', { operation: 'open', reason: 'EROFS' }],
  ['EMFILE', 'DISK_ERROR', { operation: 'open', reason: 'EMFILE' }],
])('says of %s that it is %s', (system, code, params) => {
  const stagingDir = tempDir();
  expect(writeError(failure(system), { stagingDir, entry })).toMatchObject({ code, params });
});

it('names the base for a full disk and the file for a broken one', () => {
  const dir = tempDir();
  const place = { stagingDir: `${dir}/.`, entry };
  expect(writeError(failure('ENOSPC'), place)).toMatchObject({ params: { path: dir } });
  expect(writeError(failure('EIO'), place)).toMatchObject({ params: { path: `${dir}/content/d/f` } });
});

it('leaves our own errors and bugs as they are', () => {
  const place = { stagingDir: tempDir(), entry };
  for (const error of [refuseEntry('x', 'type'), new TypeError('a bug'), 'text']) {
    expect(writeError(error, place)).toBe(error);
  }
});
