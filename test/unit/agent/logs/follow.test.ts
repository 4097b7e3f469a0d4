import { execFile } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { followLog } from '@sampan/agent/logs/follow-log.ts';
import type { LogChunk } from '@sampan/agent/logs/log-chunk.ts';
import { LogReader } from '@sampan/agent/logs/log-reader.ts';
import { openLog } from '@sampan/agent/logs/open-log.ts';
import { readLog } from '@sampan/agent/logs/read-log.ts';
import { expect, it, onTestFinished } from 'vitest';
import { descriptorsOf } from '../../../helpers/open-descriptors.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const writer = fileURLToPath(new URL('../../../fixtures/rotating-writer.mjs', import.meta.url));

it('goes on from where the tail ended', async () => {
  const { file, followed } = follow('a\nb\n', 1);
  await followed.until('b\n');
  appendFileSync(file, 'c\n');
  await followed.until('b\nc\n');
  appendFileSync(file, 'd\n');
  await followed.until('b\nc\nd\n');
  expect(followed.marks).toEqual([]);
});

it('begins with an empty chunk for an empty log, and sends what then comes', async () => {
  const { file, followed } = follow('');
  await followed.untilChunks(1);
  appendFileSync(file, 'a\n');
  await followed.untilChunks(2);
  expect(followed.chunks).toEqual([
    { text: '', truncated: false, rotated: false },
    { text: 'a\n', truncated: false, rotated: false },
  ]);
});

it('waits for the other half of a character', async () => {
  const boat = Buffer.from('舢');
  const { file, followed } = follow(Buffer.concat([Buffer.from('a'), boat.subarray(0, 1)]));
  await followed.until('a');
  appendFileSync(file, boat.subarray(1, 2));
  appendFileSync(file, Buffer.concat([boat.subarray(2), Buffer.from('\n')]));
  await followed.until('a舢\n');
});

it('reads the renamed file on until the new one has content', async () => {
  const { file, followed } = await following('a\n');
  const old = openSync(file, 'a');
  renameSync(file, `${file}.1`);
  writeFileSync(file, '');
  await opened(file);
  writeSync(old, 'late\n');
  await followed.until('a\nlate\n');
  writeSync(old, 'later\n');
  closeSync(old);
  writeFileSync(file, 'new\n');
  await followed.until('a\nlate\nlater\nnew\n');
  expect(followed.marks).toEqual(['new\n']);
  expect(descriptorsOf(`${file}.1`)).toBe(0);
});

it('reads what came into the old file after its end was seen and before the new one was', async () => {
  const file = join(logDir(), 'info.log');
  writeFileSync(file, 'a\n');
  const log = await openLog(file);
  const read = log.handle.read.bind(log.handle) as (...args: unknown[]) => Promise<{ bytesRead: number }>;
  let ends = 0;
  log.handle.read = (async (...args: unknown[]) => {
    const result = await read(...args);
    ends += 1;
    // The second read finds the end. Just then the program writes its last words and goes on in a new file.
    if (ends === 2) {
      renameSync(file, `${file}.1`);
      writeFileSync(file, 'new\n');
      await opened(file);
      appendFileSync(`${file}.1`, 'last words\n');
    }
    return result;
  }) as typeof log.handle.read;
  const abort = new AbortController();
  const followed = new Followed(followLog(file, await LogReader.at(log, 0), abort.signal));
  onTestFinished(async () => {
    abort.abort('the test is over');
    await Promise.allSettled([followed.ended]);
  });
  await followed.until('a\nlast words\nnew\n');
});

it('loses and doubles no line of a program that writes and rotates as fast as it is read', async () => {
  const { file, followed } = follow('');
  const args = [writer, file, '60', '1000', String(process.pid)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const expected = Array.from({ length: Number(stdout) }, (_, number) => `${number}\n`).join('');
  await followed.until(expected);
  expect(followed.marks.length).toBe(59);
});

it('starts at the beginning of a log that was cut', async () => {
  const { file, followed } = follow('before the cut\n');
  await followed.until('before the cut\n');
  truncateSync(file);
  appendFileSync(file, 'after\n');
  await followed.until('before the cut\nafter\n');
  expect(followed.marks).toEqual(['after\n']);
});

it('notices a cut even when the log has grown past the old end before it looked', async () => {
  const { file, followed } = follow('before the cut\n');
  await followed.until('before the cut\n');
  // One write call each, without a turn of the event loop in between.
  truncateSync(file);
  appendFileSync(file, 'after the cut, and longer than before\n');
  await followed.until('before the cut\nafter the cut, and longer than before\n');
  expect(followed.marks).toEqual(['after the cut, and longer than before\n']);
});

it('leaves out the hole that a program without O_APPEND makes after a cut', async () => {
  const { file, followed } = follow('');
  const program = openSync(file, 'r+');
  onTestFinished(() => closeSync(program));
  const first = `${'x'.repeat(200_000)}\n`;
  writeSync(program, first);
  await followed.until(first);
  truncateSync(file);
  writeSync(program, 'after\n');
  await followed.until(`${first}after\n`);
  expect(followed.marks).toEqual(['after\n']);
});

it('goes on with the file that takes the place of a deleted one', async () => {
  const { file, followed } = follow('a\n');
  await followed.until('a\n');
  const old = openSync(file, 'a');
  rmSync(file);
  writeSync(old, 'still written\n');
  await followed.until('a\nstill written\n');
  closeSync(old);
  writeFileSync(file, 'b\n');
  await followed.until('a\nstill written\nb\n');
  expect(followed.marks).toEqual(['b\n']);
});

it('goes on when the whole log directory is replaced, where no watch can tell', async () => {
  const { file, followed } = await following('a\n');
  renameSync(dirname(file), `${dirname(file)}-old`);
  mkdirSync(dirname(file));
  writeFileSync(file, 'b\n');
  await followed.until('a\nb\n');
});

it('reads several rotations in their order while its reader is slow', async () => {
  const file = join(logDir(), 'info.log');
  writeFileSync(file, '0\n');
  const abort = new AbortController();
  const reading = readLog(file, { lines: 10, maxBytes: 1000, follow: true }, abort.signal);
  onTestFinished(() => void reading.return(undefined));
  const texts = [(await reading.next()).value?.text];
  // Now it waits for a change. What it finds then is held back: nothing more is asked for until all is rotated away.
  const second = reading.next();
  for (const generation of [1, 2, 3, 4]) {
    renameSync(file, `${file}.${generation}`);
    writeFileSync(file, `${generation}\n`);
    await opened(file);
  }
  texts.push((await second).value?.text);
  while (texts.length < 5) texts.push((await reading.next()).value?.text);
  expect(texts).toEqual(['0\n', '1\n', '2\n', '3\n', '4\n']);
});

it('ends with LOG_REFUSED when a link takes the place of the log, after the rest of the log', async () => {
  const { file, followed } = follow('a\n');
  await followed.until('a\n');
  appendFileSync(file, 'rest\n');
  rmSync(file);
  symlinkSync('/etc/hostname', file);
  await expect(followed.ended).rejects.toMatchObject({
    code: 'LOG_REFUSED',
    params: { path: file, found: 'symlink' },
  });
  expect(followed.text).toBe('a\nrest\n');
});

it('ends with the reason of the abort while it waits, and leaves nothing open', async () => {
  const { file, followed, abort } = follow('a\n');
  await followed.until('a\n');
  abort.abort('enough');
  await expect(followed.ended).rejects.toBe('enough');
  expect(descriptorsOf(file)).toBe(0);
  expect(process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap')).toEqual([]);
});

function logDir(): string {
  const dir = join(tempDir(), 'log');
  mkdirSync(dir);
  return dir;
}

function follow(content: string | Uint8Array, lines = 10) {
  const file = join(logDir(), 'info.log');
  writeFileSync(file, content);
  const abort = new AbortController();
  const followed = new Followed(readLog(file, { lines, maxBytes: 1024 * 1024, follow: true }, abort.signal));
  onTestFinished(async () => {
    abort.abort('the test is over');
    await Promise.allSettled([followed.ended]);
  });
  return { file, followed, abort };
}

/** The same, but past the tail: what is appended is being waited for. */
async function following(content: string) {
  const { file, followed } = follow('');
  await followed.untilChunks(1);
  appendFileSync(file, content);
  await followed.until(content);
  return { file, followed };
}

/** Resolves once this process has a descriptor on `path`, asked anew on each turn of the event loop. */
async function opened(path: string): Promise<void> {
  while (descriptorsOf(path) === 0) await new Promise((resolve) => setImmediate(resolve));
}

/** What was read so far, and waiting for it. */
class Followed {
  readonly chunks: LogChunk[] = [];
  readonly ended: Promise<void>;
  #arrived = Promise.withResolvers<void>();

  constructor(reading: AsyncIterable<LogChunk>) {
    this.ended = this.#collect(reading);
    // Whoever waits for the end sees the error; nobody has to.
    this.ended.catch(() => this.#arrived.resolve());
  }

  get text(): string {
    return this.chunks.map((chunk) => chunk.text).join('');
  }

  /** The chunks that began a new file. */
  get marks(): string[] {
    return this.chunks.filter((chunk) => chunk.rotated).map((chunk) => chunk.text);
  }

  /** Waits until exactly `expected` has been read; fails at once when something else comes. */
  async until(expected: string): Promise<void> {
    while (this.text.length < expected.length) await this.#next();
    expect(this.text).toBe(expected);
  }

  async untilChunks(count: number): Promise<void> {
    while (this.chunks.length < count) await this.#next();
  }

  async #next(): Promise<void> {
    await Promise.race([this.#arrived.promise, this.ended]);
  }

  async #collect(reading: AsyncIterable<LogChunk>): Promise<void> {
    for await (const chunk of reading) {
      this.chunks.push(chunk);
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    }
  }
}
