import { errorText } from '@sampan/shared/error-text.ts';
import { z } from 'zod';
import type { Outcomes } from '../../outcomes.ts';

/** The answers of the documented API. Hosts are keys as the caller wrote them. */

/** 200 with `done` when every host is done, else 501 with the hosts that failed, and why. */
export function doneOrFailed(outcomes: Outcomes<unknown>, done: string) {
  const failed = failedHosts(outcomes);
  if (failed.length === 0) return { status_code: 200 as const, data: done };
  return { status_code: 501 as const, data: Object.fromEntries(failed) };
}

/** 200 with what was found on each host, and the hosts where it was not found, and why. */
export function succeedAndFailed(outcomes: Outcomes<string>) {
  const succeed = [...outcomes].flatMap(([host, outcome]) => (outcome.ok ? [[host, outcome.value] as const] : []));
  return {
    status_code: 200 as const,
    data: { succeed: Object.fromEntries(succeed), failed: Object.fromEntries(failedHosts(outcomes)) },
  };
}

function failedHosts(outcomes: Outcomes<unknown>): (readonly [string, string])[] {
  return [...outcomes].flatMap(([host, outcome]) =>
    outcome.ok ? [] : [[host, errorText(outcome.error, 'zh')] as const],
  );
}

const byHost = z.record(z.string(), z.string());

/** The HTTP answers of a route that acts, for the OpenAPI document. */
export function actionAnswers(done: string) {
  return {
    200: z
      .union([
        z.object({ status_code: z.literal(200), data: z.string() }),
        z.object({ status_code: z.literal(501), data: byHost }),
      ])
      .meta({
        description: `status_code 200: 全部主机成功, data 为 "${done}"; status_code 501: 只列出失败的主机, 其余主机已成功`,
        examples: [
          { status_code: 200, data: done },
          { status_code: 501, data: { '192.168.210.3': 'Agent连接失败: ECONNREFUSED 192.168.210.3:7410' } },
        ],
      }),
    ...refusals,
  };
}

/** The HTTP answers of a route that reads, for the OpenAPI document. `found` is an example of what a host answers. */
export function readAnswers(found: string) {
  const data = { succeed: { '192.168.1.1': found }, failed: { '192.168.1.3': 'Agent连接超时: 5 秒内没有应答' } };
  return {
    200: z
      .object({ status_code: z.literal(200), data: z.object({ succeed: byHost, failed: byHost }) })
      .meta({ description: '成功和失败的主机', examples: [{ status_code: 200, data }] }),
    ...refusals,
  };
}

function refusal(statusCode: number, description: string, example: string) {
  return z
    .object({ status_code: z.literal(statusCode), data: z.string() })
    .meta({ description, examples: [{ status_code: statusCode, data: example }] });
}

const refusals = {
  400: refusal(400, '参数错误', '参数错误: language 收到 "ruby", 应为 php、java、golang 之一'),
  401: refusal(401, '需要 token 而没有, 或 token 无效、已过期', 'token 无效: 不存在或已被吊销'),
  403: refusal(
    403,
    '拒绝访问, 或 token 没有这个权限或项目',
    '拒绝访问: Origin 收到 http://evil.example, 应为 127.0.0.1:8080 的页面',
  ),
  413: refusal(413, '请求体过大', '请求体过大: 最大 1 MiB'),
  429: refusal(429, '认证失败次数过多', '认证失败次数过多: 请在 42 秒后重试'),
  500: refusal(500, '内部错误, 或操作记录无法写入 (操作没有开始)', '内部错误, 详情见日志'),
  503: refusal(503, '服务正在停止', '服务正在停止, 不接受新的请求'),
};
