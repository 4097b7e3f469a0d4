import { BackgroundTasks } from '@sampan/agent/host/background-tasks.ts';
import { expect, it } from 'vitest';
import { silentLog } from '../../../helpers/silent-log.ts';

const NEVER_MS = 1_000_000;

it('begins what was put off in its time, and nothing before that', async () => {
  const tasks = new BackgroundTasks(silentLog);
  const done: string[] = [];
  const begun = Promise.withResolvers<void>();
  tasks.startLater('later', NEVER_MS, async () => void done.push('later'));
  tasks.startLater('soon', 1, async () => {
    done.push('soon');
    begun.resolve();
  });
  expect(done).toEqual([]);
  await begun.promise;
  expect(done).toEqual(['soon']);
});

it('begins what was put off when somebody waits for it, also what that puts off in turn', async () => {
  const tasks = new BackgroundTasks(silentLog);
  const done: string[] = [];
  tasks.startLater('one', NEVER_MS, async () => {
    done.push('one');
    tasks.startLater('two', NEVER_MS, async () => void done.push('two'));
  });
  await tasks.settled();
  expect(done).toEqual(['one', 'two']);
});
