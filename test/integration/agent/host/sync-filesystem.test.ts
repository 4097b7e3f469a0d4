import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnpackThread } from '@sampan/agent/artifact/unpack-thread.ts';
import { syncFilesystem } from '@sampan/agent/host/sync-filesystem.ts';
import { describe, expect, it } from 'vitest';
import { requires } from '../../../helpers/requires.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

/** As the agent is shipped. */
const AS_SHIPPED = ['--disable-warning=ExperimentalWarning'];

/** Syncs a directory as a deploy does, and says how it went. */
const SYNC = `
  import { UnpackThread } from '@sampan/agent/artifact/unpack-thread.ts';
  import { syncFilesystem } from '@sampan/agent/host/sync-filesystem.ts';
  const [dir, how] = process.argv.slice(1);
  const thread = new UnpackThread();
  if (how !== 'no thread yet') thread.prepare();
  const abort = new AbortController();
  const unending = new AbortController();
  if (how === 'busy') void thread.sync(dir, unending.signal);
  const done = syncFilesystem(dir, abort.signal, thread);
  if (how === 'aborted') setTimeout(() => abort.abort(new Error('stopped')), 100);
  console.log(await done.then(() => 'durable', ({ code, params, message }) => JSON.stringify(code ? { code, params } : message)));
  process.kill(process.pid, 'SIGKILL');
`;

interface Traced {
  said: string;
  /** Whether sync(1) was started. */
  byProcess: boolean;
  /** How often syncfs(2) was called. */
  calls: number;
}

function traced(
  how: string,
  { flags = AS_SHIPPED, inject = '' }: { flags?: readonly string[]; inject?: string } = {},
): Traced {
  const dir = tempDir();
  const log = join(tempDir(), 'strace');
  writeFileSync(log, '');
  const injecting = inject === '' ? [] : ['-e', `inject=syncfs:${inject}`];
  const node = [process.execPath, ...flags, '--input-type=module', '-e', SYNC, dir, how];
  let said = '';
  try {
    said = execFileSync('strace', ['-f', '-qq', '-o', log, '-e', 'trace=syncfs,execve', ...injecting, ...node], {
      encoding: 'utf8',
    });
  } catch (error) {
    // It ends itself by SIGKILL, and strace with it.
    said = (error as { stdout: string }).stdout;
  }
  const lines = readFileSync(log, 'utf8').split('\n');
  return {
    said: said.trim().replaceAll(dir, '<dir>'),
    byProcess: lines.some((line) => /execve\("[^"]*\/sync"/.test(line)),
    calls: lines.filter((line) => line.includes('syncfs(')).length,
  };
}

describe.runIf(requires('strace'))('what was written is made durable', () => {
  it('by the thread, without a process, in an agent as it is shipped', () => {
    expect(traced('thread')).toEqual({ said: 'durable', byProcess: false, calls: 1 });
  });

  it.each([
    ['where there is no thread yet', 'no thread yet', AS_SHIPPED],
    ['where Node would warn of what the thread needs', 'thread', []],
  ])('by a process %s', (_, how, flags) => {
    expect(traced(how, { flags })).toEqual({ said: 'durable', byProcess: true, calls: 1 });
  });

  it('by a process while the thread is busy', () => {
    expect(traced('busy')).toMatchObject({ said: 'durable', byProcess: true });
  });

  it('or it is said what the kernel could not do', () => {
    const error = { code: 'DISK_ERROR', params: { path: '<dir>', operation: 'syncfs', reason: 'EIO' } };
    const { said, ...how } = traced('thread', { inject: 'error=EIO' });
    expect(JSON.parse(said)).toEqual(error);
    // Once: asked again, the kernel would not tell of it again.
    expect(how).toEqual({ byProcess: false, calls: 1 });
  });

  it('or given up at once, whatever the kernel waits for', () => {
    expect(traced('aborted', { inject: 'delay_enter=600000000' }).said).toBe('"stopped"');
  });
});

it('is told of a directory that is gone', async () => {
  const thread = new UnpackThread();
  const dir = join(tempDir(), 'gone');
  await expect(syncFilesystem(dir, new AbortController().signal, thread)).rejects.toMatchObject({ code: 'DISK_ERROR' });
});
