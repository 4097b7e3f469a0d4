import { agentConfigSchema } from '@sampan/agent/config.ts';
import { entryPath, hardLinkTarget } from '@sampan/agent/unpack/entry-path.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const limits = agentConfigSchema.parse({}).unpack;

it.each([
  ['a', 'a'],
  ['./a/b/', 'a/b'],
  ['a//b/./c', 'a/b/c'],
  ['.', ''],
  ['./', ''],
  ['..a/b..', '..a/b..'],
  ['a b', 'a b'],
])('%s is %s', (raw, path) => {
  expect(entryPath(raw, limits)).toBe(path);
});

it('never leads out, whatever the parts', () => {
  const part = fc.constantFrom('a', '..', '.', '', 'b', '...', ' ');
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
      const raw = parts.join('/');
      try {
        const path = entryPath(raw, limits);
        expect(path).not.toMatch(/^\/|(^|\/)\.\.?(\/|$)|\/\/|\/$/);
      } catch (error) {
        expect(raw).toMatch(/^\/|(^|\/)\.\.(\/|$)/);
        expect(error).toMatchObject({ code: 'ARCHIVE_ENTRY_REFUSED' });
      }
    }),
  );
});

it('holds length and depth against the limits, inclusive', () => {
  expect(entryPath('d/'.repeat(64), limits)).toHaveLength(127);
  expect(() => entryPath('d/'.repeat(65), limits)).toThrow('unpack.max_depth');
  expect(entryPath('é'.repeat(512), limits)).toHaveLength(512);
  expect(() => entryPath(`${'é'.repeat(512)}x`, limits)).toThrow('unpack.max_path_length');
});

it('says of a hard link where it points, and what is wrong with that', () => {
  expect(hardLinkTarget('h', './a//b')).toBe('a/b');
  expect(() => hardLinkTarget('h', '/a')).toThrow('{"entry":"h","reason":"link_absolute","detail":"/a"}');
  expect(() => hardLinkTarget('h', 'a/../../b')).toThrow('{"entry":"h","reason":"link_outside","detail":"a/../../b"}');
});
