import { parseJsonBody } from '@sampan/controller/http/json-body.ts';
import { errorText } from '@sampan/shared/error-text.ts';
import { describe, expect, it } from 'vitest';

function refusal(body: string | Buffer): string {
  try {
    return `accepted ${JSON.stringify(parseJsonBody(Buffer.from(body as string)))}`;
  } catch (error) {
    return errorText(error, 'zh');
  }
}

describe('parseJsonBody', () => {
  it('reads an object, also after a byte order mark', () => {
    expect(parseJsonBody(Buffer.from('{"a": [1, {"b": "]{["}]}'))).toEqual({ a: [1, { b: ']{[' }] });
    expect(parseJsonBody(Buffer.from('\ufeff{"a": 1}'))).toEqual({ a: 1 });
  });

  it('takes no body for none', () => {
    expect(parseJsonBody(Buffer.alloc(0))).toBeUndefined();
  });

  it('keeps dangerous keys as plain keys', () => {
    const body = parseJsonBody(Buffer.from('{"__proto__": {"x": 1}, "constructor": 2}'));
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
    expect(Object.keys(body ?? {})).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it.each([
    ['[1]', '列表'],
    ['"text"', '"text"'],
    ['12', '12'],
    ['null', 'null'],
    ['{"is_restart": False}', "不是 JSON 的内容 (Unexpected token 'F')"],
    [
      '{"a": 1, # x\n}',
      '不是 JSON 的内容 (Expected double-quoted property name in JSON at position 9 (line 1 column 10))',
    ],
    [
      '{"secret": "s3cr3t" x}',
      "不是 JSON 的内容 (Expected ',' or '}' after property value in JSON at position 20 (line 1 column 21))",
    ],
    ['{"a": 1', "不是 JSON 的内容 (Expected ',' or '}' after property value in JSON at position 7 (line 1 column 8))"],
    ['a=1&b=2', "不是 JSON 的内容 (Unexpected token 'a')"],
    ['\u202e', "不是 JSON 的内容 (Unexpected token '\\u202e')"],
    [Buffer.from([0x7b, 0xff, 0x7d]), '不是 UTF-8 的内容'],
    ['['.repeat(100_000), '超过 64 层的嵌套'],
    [`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, '超过 64 层的嵌套'],
    [`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, '超过 64 层的嵌套'],
  ])('refuses what is no JSON object (%#)', (body, found) => {
    expect(refusal(body)).toBe(`参数错误: 请求体 收到 ${found}, 应为 JSON 对象`);
  });

  it('does not count brackets inside strings as depth', () => {
    expect(parseJsonBody(Buffer.from(`{"a": "${'['.repeat(1000)}\\"["}`))).toEqual({ a: `${'['.repeat(1000)}"[` });
  });
});
