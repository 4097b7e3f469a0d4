import { describe, expect, it } from 'vitest';
import { ownClock } from '../../faults/harness/own-clock.ts';
import { tarball } from '../../helpers/archives.ts';
import { SHOP, testCluster } from '../../helpers/controller-cluster.ts';
import { requires } from '../../helpers/requires.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

describe.runIf(requires('postgresql', 'libfaketime'))('a controller whose clock is a day ahead', () => {
  it('says so, and carries on with what another began a moment ago as with what was begun a moment ago', async () => {
    const { database, fleet, controller } = await testCluster(2);
    const clock = ownClock(tempDir());
    clock.setDaysAhead(1);
    const [one, ahead] = [await controller(), await controller(database, clock.env)];
    const isTold = ahead.log.find(({ aheadSeconds }) => aheadSeconds !== undefined);
    expect(isTold).toMatchObject({ level: 40, aheadSeconds: expect.closeTo(86_400, -1) });

    const { file_url, filename } = fleet.pack('web-1');
    const body = Promise.withResolvers<void>();
    fleet.origin.serve(`/${filename}`, { body: tarball({ version: 'web-1' }), after: body.promise });
    const id = await one.api.begin({ ...SHOP, hosts: fleet.names, file_url, filename });
    await fleet.origin.requested(`/${filename}`, 2);
    await one.stop('SIGKILL');
    await ahead.logged(({ msg, operationId }) => msg === 'rollout taken up again' && operationId === id);
    const live = ahead.api.watch(id);
    body.resolve();
    await live.closed;
    expect(await ahead.api.rollout(id)).toMatchObject({ state: 'succeeded' });
    expect(fleet.hosts.map((host) => [host.linked('web'), host.flips(id)])).toEqual([
      ['web-1', 1],
      ['web-1', 1],
    ]);
    // Stamped by one clock, whoever did it.
    const times = live.events.map(({ at }) => Date.parse(String(at)));
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(3_600_000);
  });
});
