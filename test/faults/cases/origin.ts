import { expect } from 'vitest';
import type { Behaviour } from '../../helpers/origin.ts';
import { attempt, outcomeOf, violations } from '../harness/attempt.ts';
import { type Package, packageOf } from '../harness/package.ts';
import type { CaseTable, Report } from '../harness/run-cases.ts';
import type { World, WorldSettings } from '../harness/world.ts';

/** What the agents of these cases are set to: so that a test can wait for what takes half an hour otherwise. */
export const impatient: WorldSettings = {
  agent: {
    download: {
      timeout: '2s',
      idle_timeout: '1s',
      attempts: 3,
      allow: ['http://127.0.0.1:*/**', 'http://*.invalid/**'],
    },
  },
};
const ATTEMPTS = 3;
/** Two pauses lie between three attempts: a quarter and half a second, each less a random part of up to a half. */
const PAUSES = { leastMs: 375, mostMs: 750 };
/** What else a deploy takes, on a machine that is busy. */
const SLACK_MS = 3000;

export const origin: CaseTable<'origin', World> = {
  trickles: {
    speed: 'fast',
    run: (world) =>
      told(world, {
        answers: ({ bytes }) => [{ body: bytes, trickle: { bytes: 50, everyMs: 200 } }],
        text: /^下载文件失败: 2 秒内未完成, 已收到 \d+(\.\d+)? (B|KiB)$/,
      }),
  },
  truncates: {
    speed: 'fast',
    async run(world) {
      const half = ({ bytes }: Package): Behaviour => ({ body: bytes, breakAfter: bytes.length / 2 });
      const announced = await told(world, {
        answers: (made) => [half(made)],
        text: /^下载文件失败: (文件不完整, 收到 \d+ 字节, 应为 \d+ 字节|无法从 <origin> 读取 \(connection closed\))$/,
        requests: ATTEMPTS,
      });
      // Without a length only the archive itself can tell that something is missing.
      await told(world, {
        answers: (made) => [{ ...half(made), framing: 'close' }],
        text: /^解压文件失败: 压缩包损坏 \(gzip: unexpected end of file\)$/,
      });
      // With a strong ETag it goes on where it was cut.
      const resumed = await told(world, {
        answers: (made) => [
          { ...half(made), etag: '"one"', ranges: true },
          { body: made.bytes, etag: '"one"', ranges: true },
        ],
        text: /^部署成功!$/,
        requests: 2,
      });
      return { outcome: `${announced.outcome}; with a strong ETag: ${resumed.outcome}` };
    },
  },
  '500, 502, 503 (bounded backoff)': {
    speed: 'fast',
    async run(world) {
      const outcomes = [];
      for (const status of [500, 502, 503]) {
        const started = performance.now();
        const { outcome } = await told(world, {
          answers: () => [{ status }],
          text: new RegExp(`^下载文件失败: HTTP ${status}$`),
          requests: ATTEMPTS,
          check: () => {
            const took = performance.now() - started;
            expect(took).toBeGreaterThan(PAUSES.leastMs);
            expect(took).toBeLessThan(PAUSES.mostMs + SLACK_MS);
          },
        });
        outcomes.push(outcome);
      }
      const { outcome } = await told(world, {
        answers: ({ bytes }) => [{ status: 503 }, { status: 502 }, { body: bytes }],
        text: /^部署成功!$/,
        requests: ATTEMPTS,
      });
      return { outcome: `${outcomes.join(', ')}; the third time well: ${outcome}` };
    },
  },
  '429 (honours Retry-After)': {
    speed: 'fast',
    async run(world) {
      const started = performance.now();
      return told(world, {
        answers: ({ bytes }) => [{ status: 429, headers: { 'retry-after': '1' } }, { body: bytes }],
        text: /^部署成功!$/,
        requests: 2,
        check: () => expect(performance.now() - started).toBeGreaterThan(1000),
      });
    },
  },
  loops: {
    speed: 'fast',
    run: (world) =>
      told(world, {
        answers: ({ filename }) => [{ status: 302, headers: { location: `/${filename}` } }],
        text: /^下载文件失败: 重定向超过 5 次$/,
        requests: 6,
      }),
  },
  'changes the file between retries': {
    speed: 'fast',
    async run(world) {
      const old = packageOf('web-old');
      return told(world, {
        answers: ({ bytes }) => [
          { body: old.bytes, breakAfter: old.bytes.length / 2, etag: '"old"', ranges: true },
          { body: bytes, etag: '"new"', ranges: true },
        ],
        text: /^部署成功!$/,
      });
    },
  },
};

interface Told {
  /** How the origin answers, in turn, the last for good. */
  answers: (made: Package) => Behaviour[];
  /** What the caller is told, in the words of `outcomeOf`. */
  text: RegExp;
  /** How often the origin is asked. */
  requests?: number;
  check?: () => void;
}

async function told(world: World, { answers, text, requests, check }: Told): Promise<Report> {
  const made = world.next();
  const path = `/${made.filename}`;
  world.origin.serve(path, ...answers(made));
  const asked = world.origin.requests(path);
  const tried = await attempt(world, made);
  check?.();
  const outcome = outcomeOf(world, tried);
  expect(outcome).toMatch(text);
  if (requests !== undefined) expect(world.origin.requests(path) - asked).toBe(requests);
  expect(await violations(world, tried)).toEqual([]);
  return { outcome };
}
