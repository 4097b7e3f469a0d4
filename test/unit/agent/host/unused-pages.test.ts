import { cleanMappings } from '@sampan/agent/host/unused-pages.ts';
import { expect, it } from 'vitest';

const mapping = (line: string, path: string, written = 0) =>
  `${line} 00000000 fe:00 531                            ${path}
Size:               4280 kB
Rss:                1080 kB
Private_Dirty:       212 kB
Anonymous:      ${String(written).padStart(8)} kB
VmFlags: rd mr mw me
`;

it('lets go of what belongs to the file, cannot be written to and never was', () => {
  const smaps = [
    mapping('00400000-0082e000 r--p', '/opt/node'),
    mapping('0082e000-03489000 r-xp', '/opt/node'),
    mapping('072a7000-072dc000 r--p', '/opt/node', 212),
    mapping('072dc000-07308000 rw-p', '/opt/node'),
    mapping('7f0000000000-7f0000001000 r-xp', '/lib/libc.so.6'),
    mapping('7f0000002000-7f0000003000 r--p', ''),
  ].join('');
  expect(cleanMappings(smaps, '/opt/node')).toEqual([
    { start: 0x00400000n, end: 0x0082e000n },
    { start: 0x0082e000n, end: 0x03489000n },
  ]);
});
