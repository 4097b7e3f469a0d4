import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { requires } from '../helpers/requires.ts';

const PROGRAM = fileURLToPath(new URL('../fixtures/dead-hosts.ts', import.meta.url));
const CONNECT_TIMEOUT_SECONDS = 5;

interface Measured {
  live: string[];
  refusing: string[];
  swallowing: string[];
  liveAlone: { seconds: number; answer: unknown };
  all: { seconds: number; answer: unknown };
  contents: string[];
  ended: unknown;
}

/** Runs the program in a network of its own, which is gone when it ends, however it ends. */
async function measure(): Promise<Measured> {
  const child = spawn('unshare', ['--net', process.execPath, PROGRAM], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`ended with ${code}: ${await stderr}`);
  return JSON.parse(await stdout) as Measured;
}

describe.runIf(requires('root', 'ip', 'nft', 'network namespaces'))('of 40 hosts, 30 dead', () => {
  it('the live ones are deployed, and the answer comes within the connect timeout, the slowest deploy and a second', async () => {
    const { live, refusing, swallowing, liveAlone, all, contents, ended } = await measure();
    expect(liveAlone.answer).toEqual({ status_code: 200, data: '部署成功!' });
    expect(all.answer).toEqual({
      status_code: 501,
      data: {
        ...Object.fromEntries(swallowing.map((host) => [host, 'Agent连接超时: 5 秒内没有应答'])),
        ...Object.fromEntries(refusing.map((host) => [host, `Agent连接失败: ECONNREFUSED ${host}:7410`])),
      },
    });
    expect([live.length, refusing.length, swallowing.length]).toEqual([10, 20, 10]);
    expect(contents).toEqual(live.map(() => 'shipped'));
    expect(all.seconds).toBeLessThan(CONNECT_TIMEOUT_SECONDS + liveAlone.seconds + 1);
    expect(ended).toEqual({ code: 0, signal: null });
  }, 60_000);
});
