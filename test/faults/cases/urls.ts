import { expect } from 'vitest';
import { attempt, named, outcomeOf, standing, violations } from '../harness/attempt.ts';
import type { Package } from '../harness/package.ts';
import type { CaseTable, Report } from '../harness/run-cases.ts';
import type { World } from '../harness/world.ts';

const RULE = '应为 http:// 或 https:// 地址, 最长 8192 个字符';

export const urls: CaseTable<'urls', World> = {
  'file: ftp:': {
    speed: 'fast',
    async run(world) {
      const outcomes = [];
      for (const url of ['file:///etc/passwd', 'ftp://127.0.0.1/app.tar.gz']) {
        const answer = await world.deploy(world.next(), { file_url: url });
        expect(answer).toEqual({ status_code: 400, data: `参数错误: file_url 收到 ${url}, ${RULE}` });
        expect(await standing(world)).toEqual([]);
        outcomes.push(String(answer.data));
      }
      return { outcome: outcomes.join('; ') };
    },
  },
  'user:password@ (never logged)': {
    speed: 'fast',
    async run(world) {
      const made = world.next();
      const url = `${world.origin.url}/${made.filename}`.replace('//', '//bob:Secret-Word@');
      const tried = await attempt(world, made, { more: { file_url: url } });
      const sent = world.origin.received.findLast((request) => request.url === `/${made.filename}`);
      expect(sent?.headers.authorization).toBe(`Basic ${Buffer.from('bob:Secret-Word').toString('base64')}`);
      expect(await violations(world, tried)).toEqual([]);
      // A failure names the URL where it can.
      const gone = await attempt(world, made, { more: { file_url: url.replace(made.filename, 'gone.tar.gz') } });
      expect(outcomeOf(world, gone)).toBe('下载文件失败: HTTP 404');
      expectNeverWritten(world, ['Secret-Word', Buffer.from('bob:Secret-Word').toString('base64')]);
      return { outcome: outcomeOf(world, tried) };
    },
  },
  '302 to another scheme': {
    speed: 'fast',
    run: (world) =>
      redirected(world, {
        locations: ['file:///etc/passwd', 'ftp://127.0.0.1/x.tar.gz', 'gopher://127.0.0.1:70/'],
        text: /^下载文件失败: 不允许从 (file:\/\/|ftp:\/\/127.0.0.1|gopher:\/\/127.0.0.1:70) 下载 \(download.allow\)$/,
      }),
  },
  'over 5 redirects': {
    speed: 'fast',
    async run(world) {
      const made = world.next();
      const hop = (n: number) => `/hop-${n}.tar.gz`;
      for (let n = 1; n < 6; n += 1) world.origin.serve(hop(n), { status: 302, headers: { location: hop(n + 1) } });
      world.origin.serve(hop(6), { status: 302, headers: { location: `/${made.filename}` } });
      const tooFar = await attempt(world, made, { more: { file_url: world.origin.url + hop(1) } });
      expect(outcomeOf(world, tooFar)).toBe('下载文件失败: 重定向超过 5 次');
      expect(await standing(world)).toEqual([]);
      // Five are followed.
      const tried = await attempt(world, made, { more: { file_url: world.origin.url + hop(2) } });
      expect(outcomeOf(world, tried)).toBe('部署成功!');
      expect(await violations(world, tried)).toEqual([]);
      return { outcome: `${outcomeOf(world, tooFar)}; five: ${outcomeOf(world, tried)}` };
    },
  },
  'an origin outside download.allow, reached directly or by redirect': {
    speed: 'fast',
    async run(world) {
      const text = /^下载文件失败: 不允许从 http:\/\/127\.0\.0\.9:\d+ 下载 \(download\.allow\)$/;
      const outside = world.origin.url.replace('127.0.0.1', '127.0.0.9');
      const made = world.next();
      const tried = await attempt(world, made, { more: { file_url: `${outside}/${made.filename}` } });
      expect(outcomeOf(world, tried)).toMatch(text);
      expect(await standing(world)).toEqual([]);
      return redirected(world, { locations: [`${outside}/x.tar.gz`], text });
    },
  },
  'signed query (never logged)': {
    speed: 'fast',
    async run(world) {
      const made = world.next();
      const signed = `${world.origin.url}/${made.filename}?Signature=Secret-Signature&Expires=1`;
      const tried = await attempt(world, made, { more: { file_url: signed } });
      expect(world.origin.received.at(-1)?.url).toContain('Signature=Secret-Signature');
      expect(await violations(world, tried)).toEqual([]);
      const gone = await attempt(world, made, { more: { file_url: signed.replace(made.filename, 'gone.tar.gz') } });
      expect(outcomeOf(world, gone)).toBe('下载文件失败: HTTP 404');
      expectNeverWritten(world, ['Secret-Signature']);
      return { outcome: outcomeOf(world, tried) };
    },
  },
  'a name that does not resolve': {
    speed: 'fast',
    async run(world) {
      const made = world.next();
      const tried = await attempt(world, made, { more: { file_url: `http://origin.invalid/${made.filename}` } });
      const outcome = outcomeOf(world, tried);
      // Which of the two depends on whether this machine has a name server to ask.
      expect(outcome).toMatch(/^下载文件失败: 无法从 http:\/\/origin\.invalid 读取 \((ENOTFOUND|EAI_AGAIN)\)$/);
      expect(await standing(world)).toEqual([]);
      return { outcome: outcome.replace(/ENOTFOUND|EAI_AGAIN/, 'ENOTFOUND, EAI_AGAIN') };
    },
  },
};

async function redirected(world: World, { locations, text }: { locations: string[]; text: RegExp }): Promise<Report> {
  const outcomes: string[] = [];
  for (const location of locations) {
    const made: Package = world.next();
    world.origin.serve(`/${made.filename}`, { status: 302, headers: { location } });
    const tried = await attempt(world, made);
    expect(outcomeOf(world, tried)).toMatch(text);
    expect(await violations(world, tried)).toEqual([]);
    outcomes.push(named(world, tried, outcomeOf(world, tried)).replaceAll(/:\d{4,5}/g, ':<port>'));
  }
  return { outcome: outcomes.join('; ') };
}

/** In no log of either process, and in no file of the agent. */
function expectNeverWritten(world: World, secrets: string[]): void {
  const written = world.everythingWritten();
  for (const secret of secrets) expect(written.includes(secret), `${secret} is written somewhere`).toBe(false);
}
