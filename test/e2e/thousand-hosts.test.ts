import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { controllerConfigSchema } from '@sampan/controller/config.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { requires } from '../helpers/requires.ts';

const PROGRAM = fileURLToPath(new URL('../fixtures/thousand-hosts.ts', import.meta.url));

interface Deploy {
  seconds: number;
  answer: unknown;
  /** Hosts whose agent was told to, once for each time. */
  staged: string[];
  activated: string[];
  /** When agents were told to stage, and when hosts were given up: milliseconds since the request. */
  stagedMs: number[];
  failedMs: number[];
  /** How the controller ended when it was told to. */
  ended: unknown;
}

interface Measured {
  live: string[];
  swallowing: string[];
  /** The live ones alone; all, the dead ones first; all, by turns, with a connect timeout of 20 s. */
  liveAlone: Deploy;
  deadFirst: Deploy;
  mixed: Deploy;
}

/** Runs the program in a network of its own, which is gone when it ends, however it ends. */
async function measure(): Promise<Measured> {
  const own = ['--net', '--pid', '--fork', '--kill-child'];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...own, process.execPath, PROGRAM], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`ended with ${code}: ${await stderr}`);
  return JSON.parse(await stdout) as Measured;
}

describe.runIf(requires('root', 'ip', 'nft', 'network namespaces'))(
  'of 1,000 hosts, 500 of which swallow packets',
  () => {
    let measured: Measured;
    beforeAll(async () => {
      measured = await measure();
    }, 180_000);

    it('the 500 live ones alone are deployed without a failure', () => {
      const { live, swallowing, liveAlone } = measured;
      expect([new Set(live).size, new Set(swallowing).size]).toEqual([500, 500]);
      expect(liveAlone.answer).toEqual({ status_code: 200, data: '部署成功!' });
      expect(liveAlone.ended).toEqual({ code: 0, signal: null });
    });

    it.each([
      ['deadFirst', 5],
      ['mixed', 20],
    ] as const)('exactly the dead ones are told as such, and all others are deployed, once: %s', (order, seconds) => {
      const { live, swallowing } = measured;
      const { answer, staged, activated, ended } = measured[order];
      expect(answer).toEqual({
        status_code: 501,
        data: Object.fromEntries(swallowing.map((host) => [host, `Agent连接超时: ${seconds} 秒内没有应答`])),
      });
      expect(staged.sort()).toEqual([...live].sort());
      expect(activated.sort()).toEqual([...live].sort());
      expect(ended).toEqual({ code: 0, signal: null });
    });

    it('the answer comes within waves × connect timeout + the slowest deploy, by the configuration', () => {
      const { swallowing, liveAlone, deadFirst } = measured;
      const { agents, rollouts } = controllerConfigSchema.parse({});
      const waves = Math.ceil(swallowing.length / rollouts.max_parallel);
      expect(deadFirst.seconds).toBeGreaterThan(agents.connect_timeout / 1000);
      expect(deadFirst.seconds).toBeLessThan((waves * agents.connect_timeout) / 1000 + liveAlone.seconds);
    });

    it('every live host has staged before the first dead one is given up', () => {
      const { stagedMs, failedMs } = measured.mixed;
      expect([stagedMs.length, failedMs.length]).toEqual([500, 500]);
      expect(Math.max(...stagedMs)).toBeLessThan(Math.min(...failedMs));
    });
  },
);
