import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readLog } from '@sampan/agent/logs/read-log.ts';
import { expect, it, vi } from 'vitest';
import { tempDir } from '../../../helpers/temp-dir.ts';

// Real exhaustion would take inotify from every other program of this user, so it is played here.
const watch = vi.hoisted(() =>
  vi.fn(() => {
    throw Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' });
  }),
);
vi.mock('node:fs', async (importOriginal) => ({ ...(await importOriginal<typeof import('node:fs')>()), watch }));

it('a log is followed without inotify as well, by looking once a second', async () => {
  const file = join(tempDir(), 'info.log');
  writeFileSync(file, 'a\n');
  const reading = readLog(file, { lines: 1, maxBytes: 100, follow: true }, new AbortController().signal);
  const nextText = async () => (await reading.next()).value?.text;
  expect(await nextText()).toBe('a\n');
  const appended = nextText();
  await vi.waitUntil(() => watch.mock.calls.length > 0);
  appendFileSync(file, 'b\n');
  expect(await appended).toBe('b\n');
  renameSync(file, `${file}.1`);
  writeFileSync(file, 'c\n');
  expect(await nextText()).toBe('c\n');
  await reading.return(undefined);
});
