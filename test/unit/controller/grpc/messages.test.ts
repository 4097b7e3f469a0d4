import { frame, MessageReader } from '@sampan/controller/grpc/messages.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const MAX_BYTES = 4 * 1024 * 1024;

/** The bytes in pieces that end at these places. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set([...places.map((place) => place % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe('messages on the wire', () => {
  it('come out as they went in, however the bytes between were cut', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat(400)), (sent, places) => {
        const reader = new MessageReader();
        const read = cutAt(Buffer.concat(sent.map(frame)), places).flatMap((chunk) => reader.push(chunk));
        expect(read.map((message) => [...message])).toEqual(sent.map((message) => [...message]));
        expect(reader.isWithin).toBe(false);
      }),
    );
  });

  it('that have not come whole are known to be missing', () => {
    const bytes = frame(Buffer.from('whole'));
    for (let end = 1; end < bytes.length; end += 1) {
      const reader = new MessageReader();
      expect(reader.push(bytes.subarray(0, end))).toEqual([]);
      expect(reader.isWithin).toBe(true);
    }
  });

  it('are read up to 4 MiB, and refused by their prefix beyond', () => {
    const reader = new MessageReader();
    const biggest = Buffer.alloc(MAX_BYTES, 7);
    expect(cutAt(frame(biggest), [5, 9_000]).flatMap((chunk) => reader.push(chunk))).toEqual([biggest]);
    const prefix = Buffer.from([0, 0, 0x40, 0, 1]);
    expect(() => new MessageReader().push(prefix)).toThrow('RESOURCE_EXHAUSTED: a message of 4194305 bytes');
  });

  it('that are compressed are refused, which nobody asked for', () => {
    expect(() => new MessageReader().push(Buffer.from([1, 0, 0, 0, 0]))).toThrow('INTERNAL: a message came compressed');
  });
});
