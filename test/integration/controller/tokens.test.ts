import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type GuardedController, startGuarded } from '../../helpers/access-fleet.ts';
import { startFakeAgent } from '../../helpers/fake-agent.ts';
import { runProgram } from '../../helpers/run-program.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

async function guarded(
  settings: Record<string, unknown> = { auth: { tokens: 'required' } },
): Promise<GuardedController> {
  const controller = await startGuarded(settings);
  onTestFinished(async () => {
    await controller.stop('SIGKILL');
    rmSync(controller.dir, { recursive: true, force: true });
  });
  return controller;
}

/** The status of a question that needs the scope `read`. */
async function read(controller: GuardedController, token: string): Promise<number> {
  const path = '/get_current_version?project_name=shop&link_name=web&language=php&server_list=127.0.0.1:1';
  return (await sendRequest(controller.url + path, { headers: { authorization: `Bearer ${token}` } })).status;
}

/** Times are those of the test. */
function withoutTimes(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\d \d\d:\d\dZ/g, 'YYYY-MM-DD hh:mmZ');
}

describe('sampan-controller token', () => {
  it('makes tokens that count at once, shows them, and ends them at once, while the controller runs', async () => {
    const controller = await guarded();
    const made = await controller.command('token', 'create', '--name', 'ci', '--scope', 'read,deploy');
    expect(made).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^sampan_[a-z2-7]{32}$/),
      stderr: 'ci: read, deploy. The token is shown this once:',
    });
    const ops = await controller.command(
      ...['token', 'create', '--name', 'ops', '--scope', 'admin', '--project', 'shop,blog', '--expires', '90d'],
    );
    expect(withoutTimes(ops.stderr)).toBe(
      'ops: admin for shop, blog, until YYYY-MM-DD hh:mmZ. The token is shown this once:',
    );
    expect(await read(controller, made.stdout)).toBe(200);
    await expect
      .poll(async () => withoutTimes((await controller.command('token', 'list')).stdout))
      .toBe(
        [
          'NAME  SCOPES       PROJECTS   CREATED            EXPIRES            LAST USED          STATE',
          'ci    read,deploy  all        YYYY-MM-DD hh:mmZ  never              YYYY-MM-DD hh:mmZ  live',
          'ops   admin        shop,blog  YYYY-MM-DD hh:mmZ  YYYY-MM-DD hh:mmZ  never              live',
        ].join('\n'),
      );
    expect(await controller.command('token', 'revoke', 'ci')).toEqual({ code: 0, stdout: 'ci is revoked', stderr: '' });
    expect(await read(controller, made.stdout)).toBe(401);
    expect(await read(controller, ops.stdout)).toBe(200);
    const listed = JSON.parse((await controller.command('token', 'list', '--json')).stdout) as object[];
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(listed[0]).toEqual({
      name: 'ci',
      scopes: ['read', 'deploy'],
      projects: null,
      created_at: time,
      expires_at: null,
      revoked_at: time,
      last_used_at: time,
      state: 'revoked',
    });
  });

  it('keeps nothing of a token but its hash', async () => {
    const controller = await guarded();
    const token = await controller.token('ci', 'read');
    expect(await read(controller, token)).toBe(200);
    expect(await read(controller, token.slice(0, -1))).toBe(401);
    const files = readdirSync(controller.dir).map((name) => readFileSync(join(controller.dir, name), 'latin1'));
    const all = [...files, JSON.stringify(controller.log), controller.text.join('\n')].join('\n');
    expect(all).not.toContain(token.slice('sampan_'.length));
    expect(all).toContain(createHash('sha256').update(token).digest('hex'));
  });

  it('notes when a token was last used, once a minute at the most', async () => {
    const controller = await guarded();
    const token = await controller.token('ci', 'read');
    const lastUsed = async () => {
      const listed = JSON.parse((await controller.command('token', 'list', '--json')).stdout) as Record<
        string,
        string
      >[];
      return listed[0]?.last_used_at ?? null;
    };
    expect(await lastUsed()).toBeNull();
    await read(controller, token);
    await expect.poll(lastUsed).not.toBeNull();
    const first = await lastUsed();
    for (let count = 0; count < 5; count += 1) await read(controller, token);
    // A later write would follow this one: both wait for the same transaction.
    await controller.token('other', 'read');
    expect(await lastUsed()).toBe(first);
  });

  it('gives a name once, until its token is revoked or has expired', async () => {
    const controller = await guarded();
    const create = () => controller.command('token', 'create', '--name', 'ci', '--scope', 'read');
    const taken = {
      code: 1,
      stdout: '',
      stderr: 'a token named ci is there already: revoke it, or choose another name',
    };
    await create();
    expect(await create()).toEqual(taken);
    await controller.command('token', 'revoke', 'ci');
    expect((await create()).code).toBe(0);
    expect(await create()).toEqual(taken);
    controller.expire('ci');
    expect((await create()).code).toBe(0);
    expect(await controller.command('token', 'revoke', 'nobody')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'no live token is named nobody',
    });
  });

  it.each([
    [['create', '--name', 'ci'], "error: required option '--scope <scopes>' not specified"],
    [
      ['create', '--name', 'ci', '--scope', 'all'],
      "error: option '--scope <scopes>' argument 'all' is invalid. expected some of read, deploy, config-write, admin",
    ],
    [
      ['create', '--name', 'a b', '--scope', 'read'],
      "error: option '--name <name>' argument 'a b' is invalid. expected letters, digits and . _ - (at most 128), beginning with a letter or digit",
    ],
    [
      ['create', '--name', 'ci', '--scope', 'read', '--expires', 'soon'],
      `error: option '--expires <span>' argument 'soon' is invalid. expected a duration such as 90d, got "soon"`,
    ],
    [['delete', 'ci'], "error: unknown command 'delete'"],
  ])('says what is wrong with %s', async (words, stderr) => {
    expect(await runProgram('controller', ['token', ...words])).toEqual({ code: 1, stdout: '', stderr });
  });

  it('works before a controller has ever run, and does not keep one from starting', async () => {
    const dir = tempDir();
    const config = join(dir, 'controller.yaml');
    writeFileSync(config, 'database: sqlite:sampan.db\n');
    const words = ['--config', config, 'token', 'create', '--name', 'ci', '--scope', 'read'];
    expect((await runProgram('controller', words)).code).toBe(0);
    const controller = await guarded({ database: `sqlite:${dir}/sampan.db`, auth: { tokens: 'required' } });
    expect(controller.log.filter(({ msg }) => String(msg).includes('there is none'))).toEqual([]);
    expect((await runProgram('controller', words)).stderr).toBe(
      'a token named ci is there already: revoke it, or choose another name',
    );
  });

  it('says that the controller that runs is of another version', async () => {
    const controller = await guarded();
    const database = new DatabaseSync(join(controller.dir, 'sampan.db'), { timeout: 5000 });
    database.exec("insert into kysely_migration (name, timestamp) values ('999-later', '2030-01-01T00:00:00.000Z')");
    database.close();
    const { code, stderr } = await controller.command('token', 'list');
    expect({ code, stderr: stderr.replace(controller.dir, 'DIR') }).toEqual({
      code: 1,
      stderr:
        'database: sqlite:DIR/sampan.db cannot be used: a newer version wrote it (999-later is not known to this one)',
    });
  });

  it('goes on together with a controller that writes, many at once', async () => {
    const controller = await guarded();
    const token = await controller.token('ci', 'deploy');
    const agent = await startFakeAgent();
    const deploy = async (version: number) => {
      const body = {
        project_name: 'shop',
        link_name: `web-${version}`,
        server_list: [agent.host],
        file_url: 'http://origin/web-1.tar.gz',
        filename: 'web-1.tar.gz',
        language: 'php',
      };
      const headers = { authorization: `Bearer ${token}` };
      return (await sendRequest(`${controller.url}/deploy`, { method: 'POST', body, headers })).body;
    };
    const [deploys, commands] = await Promise.all([
      Promise.all(Array.from({ length: 40 }, (_, version) => deploy(version))),
      Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          controller.command('token', 'create', '--name', `t${index}`, '--scope', 'read'),
        ),
      ),
    ]);
    expect(deploys).toEqual(deploys.map(() => ({ status_code: 200, data: '部署成功!' })));
    expect(commands.map(({ code }) => code)).toEqual(commands.map(() => 0));
    expect(controller.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});

describe('a controller that requires tokens', () => {
  it('says so at its start while there is none', async () => {
    const controller = await guarded();
    expect(controller.log.filter(({ level }) => level === 40).map(({ msg }) => msg)).toEqual([
      'tokens are required, and there is none: make one with sampan-controller token create',
    ]);
  });
});
