import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type AgentFleet, startAgentFleet } from '../../helpers/agent-fleet.ts';
import { requires } from '../../helpers/requires.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { type StartedController, startController } from '../../helpers/start-controller.ts';
import { startSupervisord, type TestSupervisord } from '../../helpers/supervisord.ts';
import { V1Client } from '../../helpers/v1-client.ts';

const SHOP = { project_name: 'shop', link_name: 'web', language: 'php' };

describe('the /v1 API', () => {
  let fleet: AgentFleet;
  let controller: StartedController;
  let api: V1Client;

  beforeAll(async () => {
    fleet = await startAgentFleet(2);
    controller = await startController();
    api = new V1Client(controller.url);
  });
  afterAll(async () => {
    await controller?.stop();
    await fleet?.[Symbol.asyncDispose]();
  });

  const query = (more: object = {}) => new URLSearchParams({ ...SHOP, hosts: fleet.names.join(','), ...more });
  async function deploy(version: string): Promise<string> {
    const id = await api.begin({ operation: 'deploy', ...SHOP, hosts: fleet.names, ...fleet.pack(version) });
    await api.watch(id).closed;
    expect((await api.rollout(id)).state).toBe('succeeded');
    return id;
  }

  it('says in a problem document which field is wrong, and knows no others', async () => {
    const order = { operation: 'deploy', ...SHOP, hosts: fleet.names, ...fleet.pack('x') };
    const faults: [object, string][] = [
      [{ hosts: [] }, 'bad request: hosts is a list, expected a list of 1 to 10000 hosts'],
      [
        { link_name: '../x' },
        'bad request: link_name is "../x", expected letters, digits and . _ - (at most 128), beginning with a letter or digit',
      ],
      [{ colour: 'red' }, 'bad request: colour is unknown, expected no such field'],
      [
        { batch: '0%' },
        'bad request: batch is "0%", expected a number of hosts from 1 to 10000, or a part of them such as "25%"',
      ],
      [{ canary_pause: '5m' }, 'bad request: canary_pause is 300000, expected canary beside it'],
      [
        { bake_seconds: 5 },
        'bad request: bake_seconds is 5, expected health_check beside it, which is what has to hold',
      ],
      [
        { atomic: true, auto_rollback: false },
        'bad request: auto_rollback is false, expected true where atomic is: it goes back',
      ],
      [{ deploy_dir: 'x' }, 'bad request: deploy_dir is "x", expected nothing: it is for golang alone'],
    ];
    for (const [fault, detail] of faults) {
      const { status, headers, body } = await api.post('/rollouts', { ...order, ...fault });
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
      expect({ status, body }).toMatchObject({
        status: 400,
        body: { title: 'Bad Request', status: 400, detail, code: 'INVALID_REQUEST' },
      });
    }
  });

  it('begins one rollout for one Idempotency-Key, and refuses the key for another request', async () => {
    const order = { operation: 'deploy', ...SHOP, hosts: fleet.names, ...fleet.pack('keyed') };
    const key = { 'idempotency-key': 'job-17' };
    const both = await Promise.all([api.post('/rollouts', order, key), api.post('/rollouts', order, key)]);
    const ids = both.map(({ body }) => (body as { id: string }).id);
    expect(new Set(ids).size).toBe(1);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 202]);
    await api.watch(ids[0]!).closed;
    expect((await api.post('/rollouts', order, key)).body).toMatchObject({ id: ids[0] });
    const other = await api.post('/rollouts', { ...order, restart: true, ...fleet.pack('other') }, key);
    expect([other.status, other.body]).toMatchObject([422, { code: 'IDEMPOTENCY_MISMATCH', params: { id: ids[0] } }]);
  });

  it('tells a documented caller with an Idempotency-Key the outcome that there was, however often it asks', async () => {
    const body = { ...SHOP, server_list: fleet.names, ...fleet.pack('documented') };
    const send = () =>
      sendRequest(`${controller.url}/deploy`, { method: 'POST', body, headers: { 'idempotency-key': 'ci-1' } });
    const first = await send();
    expect(first.body).toEqual({ status_code: 200, data: '部署成功!' });
    const asked = fleet.origin.requests('/documented.tar.gz');
    const again = await send();
    expect([again.body, again.headers['sampan-operation-id']]).toEqual([
      first.body,
      first.headers['sampan-operation-id'],
    ]);
    expect(fleet.origin.requests('/documented.tar.gz')).toBe(asked);
  });

  it('lists rollouts, newest first, page by page and by what they are', async () => {
    const ids = [await deploy('listed-1'), await deploy('listed-2')];
    const page = (await api.get('/rollouts?limit=1')).body as { rollouts: { id: string }[]; next: string };
    expect(page).toMatchObject({
      rollouts: [{ id: ids[1], operation: 'deploy', version: 'listed-2', state: 'succeeded' }],
      next: ids[1],
    });
    const next = (await api.get(`/rollouts?limit=1&before=${page.next}`)).body as { rollouts: { id: string }[] };
    expect(next.rollouts.map(({ id }) => id)).toEqual([ids[0]]);
    expect((await api.get('/rollouts?state=failed')).body).toEqual({ rollouts: [], next: null });
    expect((await api.get('/rollouts/nobody')).body).toMatchObject({ status: 404, code: 'ROLLOUT_NOT_FOUND' });
  });

  it('shows hosts with version, disk and when they were seen, those too that are down', async () => {
    const { body } = await api.get(`/hosts?refresh=true&hosts=${fleet.names.join(',')},127.0.0.1:1`);
    const { hosts } = body as { hosts: Record<string, unknown> };
    for (const name of fleet.names) {
      expect(hosts[name]).toMatchObject({
        reachable: true,
        agent_version: '0.1.0',
        disk: { free_bytes: expect.any(Number), total_bytes: expect.any(Number) },
        last_seen: expect.stringMatching(/^2\d{3}-/),
      });
    }
    expect(hosts['127.0.0.1:1']).toMatchObject({
      reachable: false,
      error: { code: 'AGENT_UNREACHABLE' },
      last_seen: null,
    });
    const known = (await api.get('/hosts')).body as { hosts: Record<string, unknown> };
    expect(Object.keys(known.hosts)).toEqual(expect.arrayContaining(fleet.names));
  });

  it('tells which releases every host could go back to, intact', async () => {
    await deploy('common-1');
    await deploy('common-2');
    const common = async () => ((await api.get(`/releases?${query()}`)).body as { common: string[] }).common;
    expect(await common()).toEqual(expect.arrayContaining(['common-1']));
    expect(await common()).not.toContain('common-2');
    rmSync(join(fleet.hosts[1]!.dir, 'service/.deploy/common-1/version'));
    expect(await common()).not.toContain('common-1');
    const { hosts } = (await api.get(`/releases?${query()}`)).body as {
      hosts: Record<string, { version: string; intact: boolean }[]>;
    };
    expect(hosts[fleet.names[1]!]?.find(({ version }) => version === 'common-1')?.intact).toBe(false);
  });

  it('shows where what was asked for, what the link names and what runs differ', async () => {
    const id = await deploy('asked');
    const base = join(fleet.hosts[0]!.dir, 'service');
    symlinkSync('.deploy/common-2', join(base, 'by-hand'));
    renameSync(join(base, 'by-hand'), join(base, 'web'));
    const { hosts } = (await api.get(`/versions?${query()}`)).body as { hosts: Record<string, unknown> };
    expect(hosts[fleet.names[0]!]).toMatchObject({
      asked: { version: 'asked', rollout: id },
      linked: { version: 'common-2', target: '.deploy/common-2' },
      running: [],
      differs: ['asked was asked for, the link names common-2'],
    });
    expect(hosts[fleet.names[1]!]).toMatchObject({ linked: { version: 'asked' }, differs: [] });
  });

  it('counts and times what operators alert on', async () => {
    await deploy('measured');
    const { text } = await sendRequest(`${controller.url}/metrics`);
    for (const phase of ['stage', 'sync', 'activate']) {
      expect(text).toMatch(new RegExp(`^sampan_host_phase_seconds_count\\{phase="${phase}"\\} [1-9]`, 'm'));
    }
    expect(text).toMatch(/^sampan_rollouts\{state="paused"\} 0$/m);
    expect(text).toMatch(/^sampan_rollout_seconds_count\{operation="deploy",state="succeeded"\} [1-9]/m);
    expect(text).toMatch(/^sampan_host_outcomes_total\{operation="deploy",code="OK"\} [1-9]/m);
    expect(text).toMatch(/^sampan_agents\{state="connected"\} [1-9]/m);
  });

  it('follows a log on two hosts, across rotation, until the client leaves', async () => {
    const logs = fleet.hosts.map(({ dir }) => join(dir, 'log/shop'));
    for (const [n, dir] of logs.entries()) {
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, 'info.log'), `old ${n}\n`);
    }
    const asked = new URLSearchParams({
      project_name: 'shop',
      language: 'php',
      logname: 'info.log',
      hosts: fleet.names.join(','),
    });
    const socket = new WebSocket(`${controller.url.replace('http', 'ws')}/v1/logs/follow?${asked}`);
    const text: Record<string, string> = {};
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as { host: string; text?: string };
      text[message.host] = (text[message.host] ?? '') + (message.text ?? '');
    });
    await expect.poll(() => fleet.names.map((name) => text[name])).toEqual(['old 0\n', 'old 1\n']);
    appendFileSync(join(logs[0]!, 'info.log'), 'more 0\n');
    await expect.poll(() => text[fleet.names[0]!]).toBe('old 0\nmore 0\n');
    renameSync(join(logs[1]!, 'info.log'), join(logs[1]!, 'info.log.1'));
    writeFileSync(join(logs[1]!, 'info.log'), 'rotated 1\n');
    await expect.poll(() => text[fleet.names[1]!]).toBe('old 1\nrotated 1\n');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.close();
    await closed;
  });
});

describe.runIf(requires('supervisord'))('the running truth', () => {
  it('shows that a program still runs the release before, where the link was flipped by hand and nothing restarted', async () => {
    const supervisord: TestSupervisord = await startSupervisord();
    const fleet = await startAgentFleet(1, { supervisor: { ctl: supervisord.ctl, settle: '100ms' } });
    const controller = await startController();
    try {
      const api = new V1Client(controller.url);
      const of = { project_name: 'zeus', link_name: 'zeus', language: 'java' };
      const [host] = fleet.hosts;
      const directory = join(host!.dir, 'service/zeus');
      supervisord.include(
        'zeus.conf',
        `[program:zeus]\ncommand=sh run.sh\ndirectory=${directory}\nstartsecs=0\nautostart=false\n`,
      );
      const run = { 'run.sh': 'exec sleep 100000\n' };
      for (const version of ['zeus-1', 'zeus-2']) {
        const order = { operation: 'deploy', ...of, hosts: fleet.names, ...fleet.pack(version, run), restart: true };
        const id = await api.begin(order);
        await api.watch(id).closed;
        expect((await api.rollout(id)).hosts).toMatchObject({ [host!.name]: { state: 'succeeded' } });
      }
      symlinkSync('.deploy/zeus-1', `${directory}.next`);
      renameSync(`${directory}.next`, directory);
      const asked = new URLSearchParams({ ...of, hosts: host!.name });
      const { hosts } = (await api.get(`/versions?${asked}`)).body as {
        hosts: Record<string, { running: { pid: number }[] }>;
      };
      const pid = hosts[host!.name]!.running[0]!.pid;
      expect(hosts[host!.name]).toMatchObject({
        asked: { version: 'zeus-2' },
        linked: { version: 'zeus-1' },
        running: [
          { name: 'zeus', state: 'RUNNING', version: 'zeus-2', evidence: join(host!.dir, 'service/.deploy/zeus-2') },
        ],
        differs: [
          'zeus-2 was asked for, the link names zeus-1',
          `the link names zeus-1, zeus (pid ${pid}) runs zeus-2`,
        ],
      });
    } finally {
      await controller.stop();
      await fleet[Symbol.asyncDispose]();
      await supervisord.stop();
    }
  });
});
