import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';

/** A process that starts when it is told to on stdin, and stops when it is told to. */
const program = `
  import { once } from 'node:events';
  import { createLogger } from '@sampan/shared/logger.ts';
  import { stopOnSignal } from '@sampan/shared/stop-on-signal.ts';
  const told = (word) => new Promise((resolve) => process.stdin.on('data', (text) => String(text).includes(word) && resolve()));
  const starting = told('start').then(() => ({
    async stop() {
      console.log('stopping');
      await told('stop');
      if (process.argv[1] === 'fails') throw new Error('as it should');
      console.log('stopped');
    },
  }));
  stopOnSignal(starting, createLogger('test', 'error'));
  console.log('listens to signals');
  await starting;
  console.log('started');
`;

function startProgram(...args: string[]) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, ...args], {
    cwd: import.meta.dirname,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    ended: once(child, 'close').then(([code]) => code as number),
    tell: (word: string) => void child.stdin.write(`${word}\n`),
    said: async (line: string) => expect((await lines.next()).value).toBe(line),
  };
}

it('a signal stops the process in order', async () => {
  const { child, ended, tell, said } = startProgram();
  tell('start');
  await said('listens to signals');
  await said('started');
  child.kill('SIGTERM');
  await said('stopping');
  tell('stop');
  await said('stopped');
  expect(await ended).toBe(0);
});

it('a signal during the start waits for it', async () => {
  const { child, ended, tell, said } = startProgram();
  await said('listens to signals');
  child.kill('SIGTERM');
  tell('start');
  await said('started');
  await said('stopping');
  tell('stop');
  await said('stopped');
  expect(await ended).toBe(0);
});

it('Ctrl-C under npm, which arrives twice, is one request; a later one ends the process at once', async () => {
  const { child, ended, tell, said } = startProgram();
  tell('start');
  await said('listens to signals');
  await said('started');
  const asked = performance.now();
  child.kill('SIGINT');
  await said('stopping');
  while (child.exitCode === null) {
    child.kill('SIGINT');
    await delay(50);
  }
  expect(await ended).toBe(130);
  expect(performance.now() - asked).toBeGreaterThan(1000);
});

it('SIGTERM while it stops ends it at once', async () => {
  const { child, ended, tell, said } = startProgram();
  tell('start');
  await said('listens to signals');
  await said('started');
  child.kill('SIGINT');
  await said('stopping');
  child.kill('SIGTERM');
  expect(await ended).toBe(130);
});

it('the exit status says when stopping failed', async () => {
  const { child, ended, tell, said } = startProgram('fails');
  tell('start');
  await said('listens to signals');
  await said('started');
  child.kill('SIGTERM');
  await said('stopping');
  tell('stop');
  expect(await ended).toBe(1);
});
