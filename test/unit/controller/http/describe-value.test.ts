import { describeValue } from '@sampan/controller/http/describe-value.ts';
import { describe, expect, it } from 'vitest';

describe('describeValue', () => {
  it.each([
    [undefined, ''],
    [null, 'null'],
    [true, 'true'],
    [12.5, '12.5'],
    ['', '""'],
    ['a"b', '"a\\"b"'],
    ['line\nbreak\0', '"line\\nbreak\\u0000"'],
    ['a\u202egpj.exe', '"a\\u202egpj.exe"'],
    ['\u{e0041}', '"\\u{e0041}"'],
    ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
    [[1, 2], '列表'],
    [{ a: 1 }, '对象'],
  ])('shows %j as %s', (value, shown) => {
    expect(describeValue(value)).toBe(shown);
  });
});
