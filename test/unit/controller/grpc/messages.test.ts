import { frame, MessageReader } from '@sampan/controller/grpc/messages.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const MAX_BYTES = 4 * 1024 * 1024;

/** The bytes in pieces that end at these places. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set([...places.map((place) => place % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

function readAll(reader: MessageReader, chunks: readonly Buffer[]): Buffer[] {
  const messages: Buffer[] = [];
  for (const chunk of chunks) reader.push(chunk, (message) => messages.push(message));
  return messages;
}

describe('messages on the wire', () => {
  it('come out as they went in, however the bytes between were cut', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat(400)), (sent, places) => {
        const reader = new MessageReader();
        const read = readAll(reader, cutAt(Buffer.concat(sent.map(frame)), places));
        expect(read.map((message) => [...message])).toEqual(sent.map((message) => [...message]));
        expect(reader.isWithin).toBe(false);
      }),
    );
  });

  it('that have not come whole are known to be missing', () => {
    const bytes = frame(Buffer.from('whole'));
    for (let end = 1; end < bytes.length; end += 1) {
      const reader = new MessageReader();
      expect(readAll(reader, [bytes.subarray(0, end)])).toEqual([]);
      expect(reader.isWithin).toBe(true);
    }
  });

  it('are read up to 4 MiB, and refused by their prefix beyond', () => {
    const reader = new MessageReader();
    const biggest = Buffer.alloc(MAX_BYTES, 7);
    expect(readAll(reader, cutAt(frame(biggest), [5, 9_000]))).toEqual([biggest]);
    const prefix = Buffer.from([0, 0, 0x40, 0, 1]);
    expect(() => readAll(new MessageReader(), [prefix])).toThrow('RESOURCE_EXHAUSTED: a message of 4194305 bytes');
  });

  it('that are compressed are refused, which nobody asked for', () => {
    const compressed = Buffer.from([1, 0, 0, 0, 0]);
    expect(() => readAll(new MessageReader(), [compressed])).toThrow('INTERNAL: a message came compressed');
  });

  it('before one that is refused are told', () => {
    const told: string[] = [];
    const chunk = Buffer.concat([frame(Buffer.from('good')), Buffer.from([1, 0, 0, 0, 0])]);
    expect(() => new MessageReader().push(chunk, (message) => told.push(`${message}`))).toThrow('INTERNAL');
    expect(told).toEqual(['good']);
  });

  it('may come byte by byte', () => {
    const long = Buffer.from(Array.from({ length: 3_000 }, (_, index) => index % 251));
    const reader = new MessageReader();
    const bytes = Buffer.concat([frame(long), frame(long)]);
    const single = Array.from({ length: bytes.length }, (_, index) => bytes.subarray(index, index + 1));
    expect(readAll(reader, single)).toEqual([long, long]);
    expect(reader.isWithin).toBe(false);
  });
});
