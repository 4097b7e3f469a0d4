import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFakeAgent } from '../../helpers/fake-agent.ts';
import { requires } from '../../helpers/requires.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { testController } from '../../helpers/test-controller.ts';

const PROGRAM = fileURLToPath(new URL('../../../packages/controller/bin/sampan-controller.mjs', import.meta.url));
const done = { status_code: 200, data: '部署成功!' };

function deploy(url: string, host: string) {
  const body = {
    project_name: 'shop',
    link_name: 'web',
    server_list: [host],
    file_url: 'http://origin/web-1.tar.gz',
    filename: 'web-1.tar.gz',
    language: 'php',
  };
  return sendRequest(`${url}/deploy`, { method: 'POST', body });
}

/** Takes every byte that is left on the disk. */
function fillUp(file: string): void {
  execFileSync('sh', ['-c', `cat /dev/zero > ${file} || true`], { stdio: 'ignore' });
}

describe('the database of a controller', () => {
  it('is refused to a second one, in words and before it opens a port', async () => {
    const dir = tempDir();
    const first = await testController({ database: `sqlite:${dir}/sampan.db` });
    const file = join(dir, 'controller.yaml');
    writeFileSync(file, 'listen: 127.0.0.1:0\ndatabase: sqlite:sampan.db\n');
    const second = spawn(process.execPath, [PROGRAM, '--config', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = Promise.all([text(second.stdout), text(second.stderr)]);
    const [code] = await once(second, 'exit');
    expect({ code, printed: await printed }).toEqual({
      code: 1,
      printed: [
        '',
        `database: sqlite:${dir}/sampan.db cannot be used: another controller uses it, and a file belongs to one; PostgreSQL takes any number (database: postgres://…)\n`,
      ],
    });
    expect((await sendRequest(`${first.url}/readyz`)).body).toEqual({ status: 'ready' });
  });
});

describe.runIf(requires('network namespaces', 'ip'))('without a configuration', () => {
  it('the database lies under ./.sampan, and Node has nothing to warn of', async () => {
    const cwd = tempDir();
    const program = spawn(
      'unshare',
      ['--net', 'sh', '-c', `ip link set lo up && exec "$@"`, 'sh', process.execPath, PROGRAM],
      { cwd, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    onTestFinished(() => void program.kill('SIGKILL'));
    const lines: string[] = [];
    for await (const line of createInterface({ input: program.stderr })) {
      lines.push(line);
      if (line.includes('"listening"')) break;
    }
    expect(lines.filter((line) => !line.startsWith('{"level"'))).toEqual([]);
    expect(existsSync(join(cwd, '.sampan/controller/sampan.db'))).toBe(true);
  });
});

describe.runIf(requires('mounts'))('on a disk that is full', () => {
  it('a controller begins nothing and says so, until there is room', async () => {
    const dir = tempDir();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'sampan-test', dir]);
    onTestFinished(() => void execFileSync('umount', ['--lazy', dir]));
    const agent = await startFakeAgent();
    const { url, logged } = await testController({ database: `sqlite:${dir}/sampan.db` });
    const fill = join(dir, 'fill');
    fillUp(fill);
    const ready = () => sendRequest(`${url}/readyz`).then(({ status, body }) => ({ status, body }));

    const refused = await deploy(url, agent.host);
    expect({ status: refused.status, body: refused.body }).toEqual({
      status: 500,
      body: {
        status_code: 500,
        data: '无法写入操作记录: database or disk is full; 操作没有开始, 所有主机保持不变',
      },
    });
    expect(agent.calls).toEqual([]);
    await logged(({ msg }) => msg === 'rollout not begun');
    expect(await ready()).toEqual({
      status: 503,
      body: { status: 'database cannot be written', reason: 'database or disk is full' },
    });

    rmSync(fill);
    expect((await deploy(url, agent.host)).body).toEqual(done);
    await expect.poll(ready, { timeout: 5000 }).toEqual({ status: 200, body: { status: 'ready' } });
  });

  it('one that fills up while a deploy runs takes nothing away from it', async () => {
    const dir = tempDir();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'sampan-test', dir]);
    onTestFinished(() => void execFileSync('umount', ['--lazy', dir]));
    const fill = join(dir, 'fill');
    let isFilled = false;
    const agent = await startFakeAgent({
      stage: (_request, write) => {
        if (!isFilled) fillUp(fill);
        isFilled = true;
        write({ result: { release: 'web-1', version: 'web-1' } });
      },
    });
    const controller = await testController({ database: `sqlite:${dir}/sampan.db` });
    expect((await deploy(controller.url, agent.host)).body).toEqual(done);
    await controller.logged(({ msg }) => msg === 'the database cannot be written');
    rmSync(fill);
    expect((await deploy(controller.url, agent.host)).body).toEqual(done);
    await controller.logged(({ msg }) => msg === 'the database can be written again');
  });
});

describe.runIf(requires('strace'))('before an agent is called', () => {
  it('the operation is on the disk', async () => {
    const dir = tempDir();
    const agent = await startFakeAgent();
    const controller = await testController({ database: `sqlite:${dir}/sampan.db` });
    const trace = join(dir, 'trace');
    const strace = spawn(
      'strace',
      ['-f', '-y', '-e', 'trace=connect,fsync,fdatasync', '-o', trace, '-p', String(controller.pid)],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    onTestFinished(() => void strace.kill('SIGKILL'));
    await new Promise<void>((resolve) => {
      createInterface({ input: strace.stderr }).on('line', (line) => line.includes('attached') && resolve());
    });
    expect((await deploy(controller.url, agent.host)).body).toEqual(done);
    strace.kill('SIGINT');
    await once(strace, 'exit');
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .flatMap((line) => /(sync)\(\d+<[^>]*\/(sampan\.db-wal)>|(connect)\(.*htons\((\d+)\)/.exec(line)?.slice(1) ?? [])
      .filter((part) => part !== undefined);
    expect(calls.slice(0, 4)).toEqual(['sync', 'sampan.db-wal', 'connect', String(agent.port)]);
  });
});
