import { doneOrFailed, succeedAndFailed } from '@sampan/controller/http/documented/answers.ts';
import type { Outcome } from '@sampan/controller/outcomes.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import { describe, expect, it } from 'vitest';

const ok = (value: string): Outcome<string> => ({ ok: true, value });
const failed: Outcome<string> = { ok: false, error: new DeployError('DOWNLOAD_HTTP_STATUS', { status: 404 }) };

describe('answers', () => {
  it('say done when every host is', () => {
    const answer = doneOrFailed(new Map([['a', ok('')]]), '部署成功!');
    expect(JSON.stringify(answer)).toBe('{"status_code":200,"data":"部署成功!"}');
  });

  it('list the failed hosts only', () => {
    const answer = doneOrFailed(
      new Map([
        ['a', ok('')],
        ['b', failed],
      ]),
      '部署成功!',
    );
    expect(JSON.stringify(answer)).toBe('{"status_code":501,"data":{"b":"下载文件失败: HTTP 404"}}');
  });

  it('have both keys where hosts were read', () => {
    expect(JSON.stringify(succeedAndFailed(new Map([['a', ok('zeus-1')]])))).toBe(
      '{"status_code":200,"data":{"succeed":{"a":"zeus-1"},"failed":{}}}',
    );
    expect(JSON.stringify(succeedAndFailed(new Map([['b', failed]])))).toBe(
      '{"status_code":200,"data":{"succeed":{},"failed":{"b":"下载文件失败: HTTP 404"}}}',
    );
  });

  it('keep a host that is named like a key of every object', () => {
    const answer = succeedAndFailed(
      new Map([
        ['__proto__', ok('zeus-1')],
        ['constructor', failed],
      ]),
    );
    expect(JSON.stringify(answer)).toBe(
      '{"status_code":200,"data":{"succeed":{"__proto__":"zeus-1"},"failed":{"constructor":"下载文件失败: HTTP 404"}}}',
    );
  });
});
