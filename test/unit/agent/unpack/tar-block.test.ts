import { TarBlock } from '@sampan/agent/unpack/tar-block.ts';
import fc from 'fast-check';
import { Header } from 'tar/header';
import { expect, it } from 'vitest';

const BYTES = 512;
const NUMBERS = [100, 124, 136];

/** A block as a reader meets it: somewhere in a chunk. */
function blockOf(bytes: Uint8Array, at = 3): TarBlock {
  const block = new TarBlock();
  block.take(Buffer.concat([Buffer.alloc(at, 0xee), bytes, Buffer.alloc(at, 0xee)]), at);
  return block;
}

function sealed(bytes: Buffer): Buffer {
  bytes.fill(' ', 148, 156);
  const sum = bytes.reduce((all, byte) => all + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

function decoded(bytes: Buffer): Header | undefined {
  try {
    return new Header(bytes);
  } catch {
    return undefined;
  }
}

/** Text up to a NUL, as both read it: the tar package goes on after a line break. */
const text = (maxLength: number) => fc.stringMatching(new RegExp(`^[ -~é水]{0,${maxLength}}$`, 'u'));

const header = fc.record({
  path: text(60),
  linkpath: text(30),
  type: fc.constantFrom('File', 'Directory', 'Link', 'SymbolicLink', 'FIFO', 'ContiguousFile', 'ExtendedHeader'),
  mode: fc.nat(0o7777),
  size: fc.oneof(fc.nat(), fc.integer({ min: 0o77777777777, max: Number.MAX_SAFE_INTEGER })),
  mtime: fc.oneof(fc.nat(), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
});
const prefix = fc.option(text(50).filter((said) => said !== ''));
const number = fc.stringMatching(/^[ 0-9\0]{0,11}$/);

const blocks = fc
  .record({
    header,
    prefix,
    /** What stands in a number's field in place of what was encoded. */
    odd: fc.option(fc.tuple(fc.constantFrom(...NUMBERS), number)),
  })
  .map(({ header: { mtime, ...said }, prefix: before, odd }) => {
    const bytes = Buffer.alloc(BYTES);
    new Header({ ...said, mtime: new Date(mtime * 1000) }).encode(bytes);
    if (before !== null) bytes.write(before, 345, 130, 'utf8');
    if (odd !== null) bytes.fill(0, odd[0], odd[0] + 8).write(odd[1].slice(0, 8), odd[0], 'latin1');
    return sealed(bytes);
  });

const CODES: Readonly<Record<string, string>> = {
  File: '0',
  Directory: '5',
  Link: '1',
  SymbolicLink: '2',
  FIFO: '6',
  ContiguousFile: '7',
  ExtendedHeader: 'x',
};

it('says of a header what the tar package says of it', () => {
  fc.assert(
    fc.property(blocks, fc.nat(20), (bytes, at) => {
      const expected = new Header(bytes);
      const block = blockOf(bytes, at);
      expect(block.isHeader).toBe(true);
      expect(block.isZero).toBe(false);
      expect(block.name).toBe(expected.path);
      expect(block.linkName).toBe(expected.linkpath);
      expect(block.mode).toBe(expected.mode);
      expect(block.mtimeMs).toBe(expected.mtime?.getTime());
      // Of a directory it says none, and by a name's end that a file is one: both are ours to say (tar-header.ts).
      if (expected.type === 'Directory') return;
      expect(block.size).toBe(expected.size);
      expect(block.typeFlag).toBe(CODES[expected.type]);
    }),
    { numRuns: 2000 },
  );
});

it('takes a block for a header exactly when the tar package does, whichever byte was changed', () => {
  fc.assert(
    fc.property(blocks, fc.nat(BYTES - 1), fc.nat(255), (bytes, at, byte) => {
      // Of the sum itself that package reads four bytes more than there are.
      fc.pre(at < 148 || at >= 156);
      bytes[at] = byte;
      // Numbers that cannot be read it refuses here, also those that nobody needs.
      const expected = decoded(bytes);
      fc.pre(expected !== undefined);
      expect(blockOf(bytes).isHeader).toBe(expected?.cksumValid);
    }),
    { numRuns: 1000 },
  );
});

it('adds up bytes of any value', () => {
  for (const value of [0x01, 0x7f, 0x80, 0xff]) {
    const bytes = sealed(Buffer.alloc(BYTES, value));
    bytes.fill(0, 100, 148);
    expect(blockOf(sealed(bytes)).isHeader).toBe(true);
    bytes[400] = value - 1;
    expect(blockOf(bytes).isHeader).toBe(false);
  }
});

it('is all zeros only without any other byte', () => {
  expect(blockOf(Buffer.alloc(BYTES)).isZero).toBe(true);
  for (let at = 0; at < BYTES; at++) {
    const bytes = Buffer.alloc(BYTES);
    bytes[at] = 1;
    expect(blockOf(bytes).isZero).toBe(false);
  }
});

it.each([
  ['80000000000000000000ffff', 65_535],
  ['ffffffffffffffffffffffff', undefined],
  ['000000000000000000000000', undefined],
])('reads the size %s as %s', (hex, size) => {
  const bytes = Buffer.alloc(BYTES, 'a');
  bytes.set(Buffer.from(hex, 'hex'), 124);
  expect(blockOf(bytes).size).toBe(size);
});

it.each([
  ['80ffffffffffffffffffffff', 'beyond what can be counted'],
  ['81000000000000000000ffff', 'of no known form'],
  ['ff00000000000000000000ff', 'negative, and beyond what can be counted'],
])('refuses the number %s: %s', (hex) => {
  const bytes = Buffer.alloc(BYTES);
  bytes.set(Buffer.from(hex, 'hex'), 124);
  expect(() => blockOf(bytes).size).toThrow('a number in a header cannot be read');
});

it.each([
  ['00', 'p/n'],
  ['  ', 'p/n'],
  ['', 'p/n'],
])('reads a prefix behind ustar of version %j, as GNU tar does, whatever that is', (version, name) => {
  const bytes = Buffer.alloc(BYTES);
  bytes.write('n', 0);
  bytes.write(`ustar\0${version}`, 257, 'latin1');
  bytes.write('p', 345);
  expect(blockOf(bytes).name).toBe(name);
});

it('reads none in the format of GNU tar itself, which has times there', () => {
  const bytes = Buffer.alloc(BYTES);
  bytes.write('n', 0);
  bytes.write('ustar  \0', 257, 'latin1');
  bytes.write('14726543210', 345, 'latin1');
  expect(blockOf(bytes).name).toBe('n');
});

it('fills its fields to the last byte, and reads none beyond them', () => {
  const bytes = Buffer.alloc(BYTES, 0xc3);
  bytes.fill('n', 0, 100).fill('7', 100, 108).fill('l', 157, 257);
  bytes.write('ustar\u000000', 257, 'latin1');
  bytes.fill('p', 345, 500);
  const block = blockOf(bytes);
  expect(block.name).toBe(`${'p'.repeat(155)}/${'n'.repeat(100)}`);
  expect(block.linkName).toBe('l'.repeat(100));
  expect(block.mode).toBe(0o77777777);
});

it('knows whether a name was UTF-8, or says U+FFFD itself', () => {
  const bytes = Buffer.alloc(BYTES);
  bytes.write('\ufffd', 0);
  bytes.write('\ufffd', 157);
  expect(blockOf(bytes)).toMatchObject({ name: '\ufffd', isNameUtf8: true, linkName: '\ufffd', isLinkNameUtf8: true });
  bytes.set([0xff, 0], 0);
  bytes.set([0xff, 0], 157);
  expect(blockOf(bytes)).toMatchObject({
    name: '\ufffd',
    isNameUtf8: false,
    linkName: '\ufffd',
    isLinkNameUtf8: false,
  });
});
