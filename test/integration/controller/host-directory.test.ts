import { HostDirectory } from '@sampan/controller/hosts/host-directory.ts';
import { describe, expect, it, vi } from 'vitest';
import { startFakeAgent } from '../../helpers/fake-agent.ts';
import { startSilentHosts } from '../../helpers/silent-hosts.ts';
import { planHost, testFleet } from '../../helpers/test-fleet.ts';

const never = new AbortController().signal;
const asKnown = { isFresh: false };

/** Longer than a test may take: who waits for what is dead does not come back in time. */
const PATIENT_MS = 600_000;

describe('HostDirectory', () => {
  it('waits for a host that it does not know', async () => {
    const agent = await startFakeAgent();
    const known = await new HostDirectory(testFleet()).look([planHost(agent.host)], asKnown, never);
    expect(known.get(agent.host)).toMatchObject({
      status: { version: '0.1.0', ready: true },
      seenAtMs: expect.any(Number),
      error: undefined,
    });
  });

  it('answers for the living while dead ones are still waited for, and does not wait for those again', async () => {
    const agents = await Promise.all([startFakeAgent(), startFakeAgent()]);
    const dead = await startSilentHosts(3);
    const directory = new HostDirectory(testFleet({}, PATIENT_MS));
    const hosts = [...dead, ...agents.map(({ host }) => host)].map(planHost);
    const expected = [...dead.map(() => undefined), ...agents.map(() => true)];
    for (const _ of [1, 2, 3]) {
      const known = await directory.look(hosts, asKnown, never);
      expect(hosts.map(({ name }) => known.get(name)?.status?.ready)).toEqual(expected);
    }
    expect(agents.map(({ calls }) => calls.length)).toEqual([1, 1]);
  });

  it('answers from what it knows, and asks behind that', async () => {
    const agent = await startFakeAgent();
    const directory = new HostDirectory(testFleet());
    const hosts = [planHost(agent.host)];
    await directory.look(hosts, asKnown, never);
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now + 60_000);
    await agent.kill();
    const known = await directory.look(hosts, asKnown, never);
    expect(known.get(agent.host)).toMatchObject({ error: undefined });
    await vi.waitFor(async () => {
      const later = await directory.look(hosts, asKnown, never);
      expect(later.get(agent.host)).toMatchObject({
        status: { version: '0.1.0' },
        error: { code: 'AGENT_UNREACHABLE' },
      });
    });
    vi.restoreAllMocks();
  });

  it('says once that a host does not answer, and once that it does again', async () => {
    const agent = await startFakeAgent();
    const fleet = testFleet();
    const warned = vi.spyOn(fleet.log, 'warn');
    const directory = new HostDirectory(fleet);
    const fresh = { isFresh: true };
    await agent.kill();
    for (const _ of [1, 2]) await directory.look([planHost(agent.host)], fresh, never);
    expect(warned.mock.calls.map(([, message]) => message)).toEqual(['host does not answer']);
    await startFakeAgent({}, { port: agent.port });
    await directory.look([planHost(agent.host)], fresh, never);
    await fleet.logged('host answers again');
  });
});
