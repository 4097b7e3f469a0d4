import { AgentPool } from '@sampan/controller/agents/agent-pool.ts';
import { loopbackOnly } from '@sampan/controller/agents/agent-security.ts';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startSwallowingHosts } from '../../../bench/fleet/simulated/dead-hosts.ts';
import { freePort } from '../../../bench/processes/free-port.ts';
import { startFakeAgent } from '../../helpers/fake-agent.ts';
import { startSilentHosts } from '../../helpers/silent-hosts.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { planHost } from '../../helpers/test-fleet.ts';

const never = new AbortController().signal;
/** More than are connected to at one time, twice over. */
const MANY = 120;

function testPool(timeoutMs: number): AgentPool {
  const pool = new AgentPool({ security: loopbackOnly, timeoutMs });
  onTestFinished(() => pool.close());
  return pool;
}

/** Begins to connect; `ended` has those that came to an end, however they did. */
function connectAll(pool: AgentPool, hosts: readonly string[]) {
  const ended: string[] = [];
  const all = hosts.map(async (name) => {
    const { ok } = await pool.connect(planHost(name).address, never).then(
      () => ({ ok: true }),
      () => ({ ok: false }),
    );
    ended.push(name);
    return ok;
  });
  return { ended, all: Promise.all(all) };
}

describe('connecting to many agents', () => {
  it('reaches one that lives while many that are stuck are still waited for', async () => {
    const stuck = await startSilentHosts(MANY);
    const agent = await startFakeAgent();
    const pool = testPool(60_000);
    const { ended, all } = connectAll(pool, stuck);
    await pool.connect(planHost(agent.host).address, never);
    expect(ended).toEqual([]);
    pool.close();
    expect(await all).toEqual(stuck.map(() => false));
  });

  it('does not count the time against an agent in which others have their turn', async () => {
    const timeoutMs = 300;
    const stuck = await startSilentHosts(MANY);
    const agent = await startFakeAgent();
    const pool = testPool(timeoutMs);
    const { ended, all } = connectAll(pool, stuck);
    await pool.connect(planHost(agent.host).address, never);
    // Those that came first have had all their time.
    expect(ended.length).toBeGreaterThan(0);
    expect(await all).toEqual(stuck.map(() => false));
    expect(pool.count()).toEqual({ connected: 1, unreachable: MANY });
  });

  it('gives up the socket too of a host that swallows what is sent to it', async () => {
    const port = await freePort();
    await using _host = await startSwallowingHosts(['127.0.78.1'], { dir: tempDir(), port });
    const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    const before = sockets();
    const refused = expect(testPool(500).connect(planHost(`127.0.78.1:${port}`).address, never)).rejects.toMatchObject({
      code: 'AGENT_CONNECT_TIMEOUT',
      params: { seconds: 0.5 },
    });
    await vi.waitUntil(() => sockets() > before);
    await refused;
    await vi.waitUntil(() => sockets() === before);
  });
});
