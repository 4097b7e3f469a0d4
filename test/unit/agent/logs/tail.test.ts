import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type LogChunk, MAX_CHUNK_BYTES } from '@sampan/agent/logs/log-chunk.ts';
import { readLog } from '@sampan/agent/logs/read-log.ts';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { descriptorsOf } from '../../../helpers/open-descriptors.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const MIB = 1024 * 1024;
const never = new AbortController().signal;

async function tail(file: string, lines: number, maxBytes = MIB): Promise<LogChunk[]> {
  const chunks: LogChunk[] = [];
  for await (const chunk of readLog(file, { lines, maxBytes, follow: false }, never)) chunks.push(chunk);
  return chunks;
}

async function tailText(file: string, lines: number, maxBytes = MIB): Promise<string> {
  return (await tail(file, lines, maxBytes)).map((chunk) => chunk.text).join('');
}

function logOf(content: string | Uint8Array): string {
  const file = join(tempDir(), 'info.log');
  writeFileSync(file, content);
  return file;
}

function refusalOf(file: string): Promise<unknown> {
  return tail(file, 10).then(
    () => 'was read',
    (error) => ({ code: error.code, params: error.params }),
  );
}

describe('the last lines of a log', () => {
  it.each([
    { name: 'all lines when fewer than asked for are there', content: 'a\nb\n', lines: 12, expected: 'a\nb\n' },
    { name: 'exactly the lines asked for', content: 'a\nb\nc\n', lines: 2, expected: 'b\nc\n' },
    { name: 'a last line without a newline as a line', content: 'a\nb\nc', lines: 2, expected: 'b\nc' },
    { name: 'empty lines as lines', content: 'a\n\n\n', lines: 2, expected: '\n\n' },
    { name: 'nothing when no line is asked for', content: 'a\nb\n', lines: 0, expected: '' },
    { name: 'a byte order mark as it stands', content: '\uFEFFa\n', lines: 5, expected: '\uFEFFa\n' },
    { name: 'carriage returns and NULs as they stand', content: 'a\r\n\0b\r\n', lines: 1, expected: '\0b\r\n' },
  ])('gives $name', async ({ content, lines, expected }) => {
    expect(await tail(logOf(content), lines)).toEqual([{ text: expected, truncated: false, rotated: false }]);
  });

  it('gives one chunk with empty text for an empty file', async () => {
    expect(await tail(logOf(''), 10)).toEqual([{ text: '', truncated: false, rotated: false }]);
  });

  it('gives the bytes that GNU tail gives, whatever the file holds', async () => {
    const file = logOf('');
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.constant(Buffer.alloc(0)),
      fc.integer({ min: 1, max: 400_000 }).map((length) => Buffer.alloc(length, '舢')),
    );
    const log = fc
      .tuple(fc.array(line, { maxLength: 60 }), fc.boolean())
      .map(([lines, closed]) =>
        Buffer.concat(
          lines.flatMap((text, at) => (at + 1 < lines.length || closed ? [text, Buffer.from('\n')] : [text])),
        ),
      );
    await fc.assert(
      fc.asyncProperty(log, fc.integer({ min: 0, max: 70 }), async (content, lines) => {
        writeFileSync(file, content);
        const expected = execFileSync('tail', ['-n', String(lines), file], { maxBuffer: 64 * MIB });
        const text = await tailText(file, lines, 64 * MIB);
        expect(text).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(expected));
      }),
      { numRuns: 150 },
    );
  });

  it('finds the end of a large log without reading the rest of it', async () => {
    const file = logOf('');
    truncateSync(file, 200 * MIB);
    const end = Array.from({ length: 2000 }, (_, at) => `\n2026-08-01 12:00:00 INFO line ${at}`).join('');
    writeFileSync(file, end, { flag: 'a' });
    const before = bytesReadByThisProcess();
    const text = await tailText(file, 999);
    expect(text).toBe(`${end.split('\n').slice(-999).join('\n')}`);
    expect(bytesReadByThisProcess() - before).toBeLessThan(16 * MIB);
  });

  it('sends chunks far below what gRPC lets through, even when every byte is invalid', async () => {
    const chunks = await tail(logOf(Buffer.alloc(300_000, 0xff)), 1);
    expect(Math.max(...chunks.map((chunk) => Buffer.byteLength(chunk.text)))).toBe(3 * MAX_CHUNK_BYTES);
    expect(chunks.map((chunk) => chunk.text).join('')).toBe('\uFFFD'.repeat(300_000));
  });

  it('never cuts a character in half between chunks', async () => {
    const content = `a${'舢🚣'.repeat(40_000)}\n`;
    const chunks = await tail(logOf(content), 1);
    expect(chunks.length).toBeGreaterThan(3);
    for (const chunk of chunks) expect(chunk.text).not.toContain('\uFFFD');
    expect(chunks.map((chunk) => chunk.text).join('')).toBe(content);
  });

  it('shows invalid bytes as U+FFFD, and half a character at the end of the file as well', async () => {
    const file = logOf(Buffer.from([0x61, 0xff, 0x62, 0x0a, 0xe8, 0x88]));
    expect(await tailText(file, 5)).toBe('a\uFFFDb\n\uFFFD');
  });
});

describe('the byte cap', () => {
  it('says that it left older lines out', async () => {
    expect(await tail(logOf('aaaa\nbbbb\ncccc\n'), 3, 7)).toEqual([
      { text: 'b\ncccc\n', truncated: true, rotated: false },
    ]);
  });

  it('says nothing when the lines asked for just fit', async () => {
    expect(await tail(logOf('aaaa\nbbbb\ncccc\n'), 2, 10)).toEqual([
      { text: 'bbbb\ncccc\n', truncated: false, rotated: false },
    ]);
    expect(await tail(logOf('aaaa\n'), 2, 5)).toEqual([{ text: 'aaaa\n', truncated: false, rotated: false }]);
  });

  it('marks the first chunk only', async () => {
    const chunks = await tail(logOf('x'.repeat(400_000)), 1, 300_000);
    expect(chunks.map((chunk) => chunk.truncated)).toEqual([true, false, false, false, false]);
    expect(chunks.map((chunk) => chunk.text).join('')).toBe('x'.repeat(300_000));
  });

  it.each(['é', '舢', '🚣'])('cuts before or after %s, never within', async (character) => {
    const size = Buffer.byteLength(character);
    const file = logOf(character.repeat(10));
    for (let cap = 0; cap <= size * 10; cap += 1) {
      expect(await tailText(file, 1, cap)).toBe(character.repeat(Math.floor(cap / size)));
    }
  });

  it('says so when it leaves room for nothing', async () => {
    expect(await tail(logOf('a舢'), 1, 2)).toEqual([{ text: '', truncated: true, rotated: false }]);
  });
});

describe('what is not a log file', () => {
  it('is told apart from a file that is missing', async () => {
    const dir = tempDir();
    const file = join(dir, 'plain');
    writeFileSync(file, '');
    for (const path of [join(dir, 'info.log'), join(dir, 'none', 'info.log'), join(file, 'info.log')]) {
      expect(await refusalOf(path)).toEqual({ code: 'LOG_NOT_FOUND', params: { path } });
    }
  });

  it('is refused by its type, and a FIFO without waiting for a writer', async () => {
    const dir = tempDir();
    const paths = {
      symlink: join(dir, 'link'),
      directory: join(dir, 'directory'),
      FIFO: join(dir, 'fifo'),
      socket: join(dir, 'socket'),
      device: '/dev/null',
    };
    writeFileSync(join(dir, 'target'), 'secret\n');
    symlinkSync('target', paths.symlink);
    mkdirSync(paths.directory);
    execFileSync('mkfifo', [paths.FIFO]);
    const server = createServer().listen(paths.socket);
    onTestFinished(() => void server.close());
    for (const [found, path] of Object.entries(paths)) {
      expect(await refusalOf(path)).toEqual({ code: 'LOG_REFUSED', params: { path, found } });
    }
  });

  it('is refused when it is a link that leads nowhere or to itself', async () => {
    const path = join(tempDir(), 'info.log');
    symlinkSync(path, path);
    expect(await refusalOf(path)).toEqual({ code: 'LOG_REFUSED', params: { path, found: 'symlink' } });
  });

  it('is not a log directory that an admin moved by a link: that one is read', async () => {
    const dir = tempDir();
    mkdirSync(join(dir, 'elsewhere'));
    writeFileSync(join(dir, 'elsewhere', 'info.log'), 'a\n');
    symlinkSync('elsewhere', join(dir, 'log'));
    expect(await tailText(join(dir, 'log', 'info.log'), 1)).toBe('a\n');
  });
});

describe('reading', () => {
  it('does not begin once it is aborted', async () => {
    const reading = readLog(logOf('a\n'), { lines: 1, maxBytes: MIB, follow: false }, AbortSignal.abort('enough'));
    await expect(reading.next()).rejects.toBe('enough');
  });

  it('ends between two chunks when it is aborted, and closes the file', async () => {
    const file = logOf('x'.repeat(3 * MAX_CHUNK_BYTES));
    const abort = new AbortController();
    const reading = readLog(file, { lines: 1, maxBytes: MIB, follow: false }, abort.signal);
    await reading.next();
    abort.abort('enough');
    await expect(reading.next()).rejects.toBe('enough');
    expect(descriptorsOf(file)).toBe(0);
  });
});

function bytesReadByThisProcess(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}
