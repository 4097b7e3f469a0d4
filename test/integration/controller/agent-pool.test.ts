import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { parseAgentAddress } from '@sampan/controller/agents/agent-address.ts';
import type { AgentConnection } from '@sampan/controller/agents/agent-connection.ts';
import { AgentLoss } from '@sampan/controller/agents/agent-loss.ts';
import { AgentPool } from '@sampan/controller/agents/agent-pool.ts';
import { loopbackOnly } from '@sampan/controller/agents/agent-security.ts';
import { callAgent } from '@sampan/controller/agents/call-agent.ts';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startProxy } from '../../helpers/cuttable-proxy.ts';
import { startFakeAgent } from '../../helpers/fake-agent.ts';

const never = new AbortController().signal;

function testPool(connectTimeoutMs = 300): AgentPool {
  const pool = new AgentPool({ security: loopbackOnly, timeoutMs: connectTimeoutMs });
  onTestFinished(() => pool.close());
  return pool;
}

function at(host: string) {
  const address = parseAgentAddress(host, 7410);
  if (!address) throw new Error(host);
  return address;
}

/** Asks for the version, as any call would. */
async function version(connection: AgentConnection): Promise<string> {
  return (await callAgent(connection, { method: 'GetCurrentVersion', request: {}, timeoutMs: 5000 }, never)).version;
}

/** A listener that is no agent. */
async function listener(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('AgentPool', () => {
  it('keeps one connection per agent and shares it, also among those who ask at once', async () => {
    const agent = await startFakeAgent();
    const proxy = await startProxy(agent.port);
    const pool = testPool();
    const [first, second] = await Promise.all([
      pool.connect(at(proxy.host), never),
      pool.connect(at(proxy.host), never),
    ]);
    const third = await pool.connect(at(proxy.host), never);
    expect([second, third]).toEqual([first, first]);
    expect(await version(first)).toBe('app');
    expect(proxy.opened).toBe(1);
    expect(pool.count()).toEqual({ connected: 1, unreachable: 0 });
  });

  it('reaches agents over IPv6 and by name', async () => {
    const six = await startFakeAgent({}, { address: '::1' });
    const four = await startFakeAgent();
    const pool = testPool();
    expect(await version(await pool.connect(at(six.host), never))).toBe('app');
    expect(await version(await pool.connect(at(`localhost:${four.port}`), never))).toBe('app');
  });

  it('says at once that an agent refuses, and connects as soon as it is there', async () => {
    const agent = await startFakeAgent();
    const proxy = await startProxy(agent.port);
    await proxy.refuse();
    const pool = testPool(60_000);
    await expect(pool.connect(at(proxy.host), never)).rejects.toMatchObject({
      code: 'AGENT_UNREACHABLE',
      params: { reason: `ECONNREFUSED ${proxy.host}` },
    });
    expect(pool.count()).toEqual({ connected: 0, unreachable: 1 });
    await proxy.restore();
    expect(await version(await pool.connect(at(proxy.host), never))).toBe('app');
    expect(pool.count()).toEqual({ connected: 1, unreachable: 0 });
  });

  it('names the name that does not resolve', async () => {
    await expect(testPool(20_000).connect(at('nosuch.invalid'), never)).rejects.toMatchObject({
      code: 'AGENT_UNREACHABLE',
      params: { reason: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN) nosuch\.invalid$/) },
    });
  });

  it('gives up on what accepts and says nothing, after the connect timeout', async () => {
    const host = await listener(createServer(() => undefined));
    await expect(testPool(300).connect(at(host), never)).rejects.toMatchObject({
      code: 'AGENT_CONNECT_TIMEOUT',
      params: { seconds: 0.3 },
    });
  });

  it('says that what answers is no agent', async () => {
    const host = await listener(createHttpServer((_request, response) => response.end('hello')));
    await expect(testPool(60_000).connect(at(host), never)).rejects.toMatchObject({
      code: 'AGENT_UNREACHABLE',
      params: { reason: `EPROTO ${host}` },
    });
  });

  it('opens a new connection where the old one broke', async () => {
    const agent = await startFakeAgent();
    const proxy = await startProxy(agent.port);
    const pool = testPool();
    const first = await pool.connect(at(proxy.host), never);
    const ended = once(first.ended, 'abort');
    proxy.cut();
    await ended;
    const second = await pool.connect(at(proxy.host), never);
    expect(second).not.toBe(first);
    expect(await version(second)).toBe('app');
    await expect(version(first)).rejects.toThrow(AgentLoss);
  });

  it('finds out that a silent host has vanished before it is given work', async () => {
    const agent = await startFakeAgent();
    const proxy = await startProxy(agent.port);
    const pool = testPool(300);
    const first = await pool.connect(at(proxy.host), never);
    proxy.swallow();
    const now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now + 20_000);
    onTestFinished(() => void vi.restoreAllMocks());
    await expect(pool.connect(at(proxy.host), never)).rejects.toMatchObject({
      code: 'AGENT_CONNECT_TIMEOUT',
      params: { seconds: 0.3 },
    });
    expect(first.ended.aborted).toBe(true);
  });

  it('keeps the connection of a silent host that answers', async () => {
    const agent = await startFakeAgent();
    const pool = testPool();
    const first = await pool.connect(at(agent.host), never);
    const now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now + 20_000);
    onTestFinished(() => void vi.restoreAllMocks());
    expect(await pool.connect(at(agent.host), never)).toBe(first);
  });

  it('lets one caller go without disturbing another who waits for the same agent', async () => {
    const host = await listener(createServer(() => undefined));
    const pool = testPool(300);
    const leave = new AbortController();
    const left = pool.connect(at(host), leave.signal);
    const stays = pool.connect(at(host), never);
    leave.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    await expect(stays).rejects.toMatchObject({ code: 'AGENT_CONNECT_TIMEOUT' });
  });

  it('closes its connections, and lets calls that run finish', async () => {
    let answer: (version: object) => void = () => undefined;
    const agent = await startFakeAgent({
      getCurrentVersion: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    const pool = new AgentPool({ security: loopbackOnly, timeoutMs: 300 });
    const connection = await pool.connect(at(agent.host), never);
    const asked = version(connection);
    await agent.called('GetCurrentVersion');
    pool.close();
    answer({ version: 'late' });
    expect(await asked).toBe('late');
    expect(pool.count().connected).toBe(0);
    await expect(pool.connect(at(agent.host), never)).rejects.toMatchObject({ code: 'CONTROLLER_DRAINING' });
  });
});
