import { randomBytes } from 'node:crypto';
import { TarReader } from '@sampan/agent/unpack/tar-reader.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { base256, directory, entry, file, gnuLong, hardLink, pax, symlink, tar } from '../../../helpers/archives.ts';

/** Everything that a reader tells of an archive that comes in these pieces: entries, and their bodies joined. */
function read(pieces: Buffer[]): string[] {
  const told: string[] = [];
  let body = '';
  const reader = new TarReader({
    entry: ({ type, path, linkpath, size }) => told.push(`${type} ${path} ${linkpath} ${size}`),
    body: (bytes) => {
      body += bytes.toString('hex');
    },
    bodyEnd: () => {
      told.push(body);
      body = '';
    },
  });
  for (const piece of pieces) reader.write(piece);
  reader.end();
  return [...told, `ended ${reader.ended}`];
}

const long = '很长的名字/'.repeat(60);
const content = randomBytes(3000);
const archive = tar(
  directory('d/'),
  file('d/empty'),
  file('d/one', content),
  pax({ path: `${long}p`, mtime: '1.5', comment: 'x'.repeat(2000) }),
  file('cut', content.subarray(0, 512)),
  gnuLong(`${long}g`),
  file('cut'),
  symlink('l', 'd'),
  hardLink('h', 'd/one'),
);
const expected = [
  'directory d/  0',
  'file d/empty  0',
  '',
  'file d/one  3000',
  content.toString('hex'),
  `file ${long}p  512`,
  content.subarray(0, 512).toString('hex'),
  `file ${long}g  0`,
  '',
  'symlink l d 0',
  'link h d/one 0',
  'ended true',
];

it('tells the same of an archive, in whatever pieces it comes', () => {
  expect(read([archive])).toEqual(expected);
  fc.assert(
    fc.property(fc.array(fc.nat(archive.length), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), archive.length];
      const pieces = at.slice(1).map((end, index) => archive.subarray(at[index], end));
      expect(read(pieces)).toEqual(expected);
    }),
  );
});

it('tells the same byte by byte', () => {
  expect(read(Array.from(archive, (byte) => Buffer.of(byte)))).toEqual(expected);
});

it('accepts an archive that ends without its marker, between two entries only', () => {
  expect(read([archive.subarray(0, -1024)]).at(-1)).toBe('ended false');
  expect(() => read([archive.subarray(0, -1025)])).toThrow('cut short in or after l');
});

it.each([
  ['negative', base256(-1)],
  ['no number', Buffer.alloc(12, 'z')],
])('refuses an extended header whose size is %s', (_, size) => {
  const extended = entry({ name: 'x', type: 'x', size });
  expect(() => read([tar(extended, file('f'))])).toThrow('an extended header whose size is negative or not a number');
});

it('never hangs nor does more than refuse, whatever the bytes are', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
      (changes) => {
        const damaged = Buffer.from(archive);
        for (const [at, byte] of changes) damaged[at] = byte;
        try {
          read([damaged]);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^ARCHIVE_(CORRUPT|ENTRY_REFUSED)$/) });
        }
      },
    ),
  );
});
