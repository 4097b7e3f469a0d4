import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { programPath, requires } from '../helpers/requires.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ALL_RIGHT = /^All (\d+) answers are as they should be\./;

describe('npm run demo', () => {
  it('is what package.json says', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { demo: string } };
    expect(scripts.demo).toBe('node demo/main.ts');
  });

  it.runIf(requires('curl', 'supervisord', 'java'))(
    'tells the whole story with lines that can be pasted, goes on with --keep, and leaves nothing behind',
    async () => {
      const demo = startDemo(['--keep']);
      const summary = await demo.line((line) => ALL_RIGHT.test(line) || line.includes('not as they should be'));
      expect(summary).toMatch(ALL_RIGHT);
      await demo.line((line) => line.startsWith('Everything goes on running'));

      expect(demo.lines.filter((line) => line.includes('✗'))).toEqual([]);
      const commands = demo.lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
      const pasted = (start: string) => {
        const command = commands.find((each) => each.includes(start)) ?? `the demo printed no ${start}`;
        return JSON.parse(execFileSync('sh', ['-c', command], { encoding: 'utf8' })) as { data: unknown };
      };
      const hosts = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];
      const everywhere = (text: string) => Object.fromEntries(hosts.map((host) => [host, text]));
      expect(pasted('/deploy')).toEqual({ status_code: 200, data: '部署成功!' });
      const version = { status_code: 200, data: { succeed: everywhere('shop-1.0.0'), failed: {} } };
      expect(pasted('/get_current_version')).toEqual(version);
      expect(pasted('9.9.9')).toEqual({ status_code: 501, data: everywhere('下载文件失败: HTTP 404') });
      expect(pasted('/rollback')).toMatchObject({ status_code: 200 });
      expect(pasted('/init_deploy')).toEqual({ status_code: 200, data: '初始化成功!' });
      expect(pasted('/get_latest_log')).toMatchObject({ status_code: 200, data: { failed: {} } });
      const link = commands.find((each) => each.startsWith('readlink ')) ?? 'the demo printed no readlink';
      expect(execFileSync('sh', ['-c', link], { encoding: 'utf8' })).toMatch(/^\.deploy\/shop-1\.[01]\.0\n$/);

      expect(await demo.stop()).toBe(0);
      demo.expectNothingLeft();
    },
    120_000,
  );

  it('goes on without supervisord, says so, and leaves nothing behind', async () => {
    const demo = startDemo([], withoutSupervisord());
    expect(await demo.ended).toBe(0);
    expect(demo.lines.filter((line) => ALL_RIGHT.test(line))).toHaveLength(1);
    const missing = java === undefined ? 'supervisord and no java' : 'supervisord';
    expect(demo.lines.filter((line) => line.includes(`this machine has no ${missing}`))).toHaveLength(1);
    demo.expectNothingLeft();
  }, 120_000);

  it('leaves nothing behind either when it is interrupted', async () => {
    const demo = startDemo([], withoutSupervisord());
    await demo.line((line) => line.startsWith('2. '));
    expect(await demo.stop()).toBe(130);
    demo.expectNothingLeft();
  }, 120_000);
});

const java = programPath('java');

function withoutSupervisord(): Record<string, string> {
  const bin = join(tempDir(), 'bin');
  mkdirSync(bin);
  if (java !== undefined) symlinkSync(java, join(bin, 'java'));
  return { PATH: `${dirname(process.execPath)}:${bin}` };
}

interface Demo {
  lines: string[];
  ended: Promise<number | null>;
  /** The first line that matches, past or to come. */
  line(matches: (line: string) => boolean): Promise<string>;
  /** Ctrl-C, and its exit code. */
  stop(): Promise<number | null>;
  expectNothingLeft(): void;
}

/** Its files go to a directory of the test's own, by which its processes are known too. */
function startDemo(args: string[], env: Record<string, string> = {}): Demo {
  const dir = tempDir();
  const child = spawn(process.execPath, [join(ROOT, 'demo/main.ts'), ...args], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: dir, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  onTestFinished(() => {
    // Nothing of a demo that failed its test outlives it.
    child.kill('SIGKILL');
    for (const { pid } of processesIn(dir)) process.kill(pid, 'SIGKILL');
  });
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => lines.push(stripVTControlCharacters(line)));
  const closed = once(output, 'close');
  return {
    lines,
    ended: ended.then(async (code) => {
      await closed;
      return code;
    }),
    async line(matches) {
      for (;;) {
        const found = lines.find(matches);
        if (found !== undefined) return found;
        const more = await Promise.race([once(output, 'line'), closed.then(() => undefined)]);
        if (!more) throw new Error(`the demo ended:\n${lines.join('\n')}`);
      }
    },
    stop() {
      child.kill('SIGINT');
      return ended;
    },
    expectNothingLeft() {
      expect(processesIn(dir)).toEqual([]);
      expect(readdirSync(dir)).toEqual([]);
    },
  };
}

/** The processes that work in `dir` or were started with a path in it. */
function processesIn(dir: string): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(dir) || readlinkSync(`/proc/${pid}/cwd`).startsWith(dir)
          ? [{ pid: Number(pid), command }]
          : [];
      } catch {
        // It has ended in the meantime.
        return [];
      }
    });
}
