import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogGenerations } from '@sampan/agent/logs/log-generations.ts';
import { openLog } from '@sampan/agent/logs/open-log.ts';
import { expect, it, onTestFinished } from 'vitest';
import { descriptorsOf } from '../../../helpers/open-descriptors.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const never = new AbortController().signal;

async function generationsOf(file: string): Promise<LogGenerations> {
  writeFileSync(file, 'a\n');
  const generations = new LogGenerations(file, await openLog(file));
  onTestFinished(() => generations.close());
  return generations;
}

async function rotate(file: string, generations: LogGenerations, number: number): Promise<void> {
  renameSync(file, `${file}.${number}`);
  writeFileSync(file, '');
  while (descriptorsOf(file) === 0) await generations.changed(never);
}

async function superseded(generations: LogGenerations): Promise<void> {
  while (!(await generations.isSuperseded())) await generations.changed(never);
}

it('a file is left only when the next one has content: until then its program still writes to it', async () => {
  const file = join(tempDir(), 'info.log');
  const generations = await generationsOf(file);
  expect(await generations.isSuperseded()).toBe(false);
  await rotate(file, generations, 1);
  expect(await generations.isSuperseded()).toBe(false);
  appendFileSync(file, 'b\n');
  await superseded(generations);
});

it('a file is left as well when the next one was itself replaced, though it stayed empty', async () => {
  const file = join(tempDir(), 'info.log');
  const generations = await generationsOf(file);
  await rotate(file, generations, 1);
  await rotate(file, generations, 2);
  await superseded(generations);
  await generations.advance();
  expect(descriptorsOf(`${file}.1`)).toBe(0);
});

it('nothing is open once it is closed', async () => {
  const file = join(tempDir(), 'info.log');
  const generations = await generationsOf(file);
  await rotate(file, generations, 1);
  await generations.close();
  expect([file, `${file}.1`].map(descriptorsOf)).toEqual([0, 0]);
});
