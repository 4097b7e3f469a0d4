import { PassThrough, Readable } from 'node:stream';
import { bodyChunks } from '@sampan/agent/artifact/body-chunks.ts';
import { expect, it, onTestFinished, vi } from 'vitest';

async function readAll(chunks: AsyncIterable<Buffer>): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of chunks) texts.push(chunk.toString());
  return texts;
}

it('hands out what came before the connection broke, then the error', async () => {
  const body = new PassThrough();
  const chunks = bodyChunks(body, 30_000);
  body.write('one');
  body.write('two');
  const broken = new Error('broken');
  await new Promise((resolve) => body.once('error', resolve) && setImmediate(() => body.destroy(broken)));
  const texts: string[] = [];
  const reading = (async () => {
    for await (const chunk of chunks) texts.push(chunk.toString());
  })();
  await expect(reading).rejects.toBe(broken);
  expect(texts).toEqual(['one', 'two']);
});

it('hands out everything in its order, however much waits', async () => {
  const parts = Array.from({ length: 1000 }, (_, index) => `${index} `);
  const body = Readable.from(parts.map((part) => Buffer.from(part)));
  expect((await readAll(bodyChunks(body, 30_000))).join('')).toBe(parts.join(''));
});

it('does not take more than it can hold while nobody reads', async () => {
  let made = 0;
  const body = new Readable({
    highWaterMark: 1,
    read() {
      made += 1;
      this.push(Buffer.alloc(64));
    },
  });
  const chunks = bodyChunks(body, 30_000);
  await new Promise((resolve) => body.once('pause', resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(made).toBeLessThan(12);
  chunks.stop();
  expect(body.destroyed).toBe(true);
});

it('ends for its reader when it is stopped', async () => {
  const body = new PassThrough();
  const chunks = bodyChunks(body, 30_000);
  const reading = readAll(chunks);
  body.write('one');
  await new Promise((resolve) => setImmediate(resolve));
  chunks.stop();
  expect(await reading).toEqual(['one']);
  expect(body.destroyed).toBe(true);
});

it('breaks a body that stalls, and hands out what came before', async () => {
  const body = new PassThrough();
  const texts: string[] = [];
  body.write('one');
  const reading = (async () => {
    for await (const chunk of bodyChunks(body, 50)) texts.push(chunk.toString());
  })();
  await expect(reading).rejects.toMatchObject({ code: 'BODY_TIMEOUT' });
  expect([texts, body.destroyed]).toEqual([['one'], true]);
});

it('does not call it stalling that its own reader is slow', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const body = new PassThrough();
  const chunks = bodyChunks(body, 50);
  const parts = Array.from({ length: 10 }, (_, index) => `${index} `);
  for (const part of parts) {
    body.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(body.isPaused()).toBe(true);
  vi.advanceTimersByTime(60_000);
  body.end();
  expect((await readAll(chunks)).join('')).toBe(parts.join(''));
});
