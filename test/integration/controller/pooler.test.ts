import { describe, expect, it } from 'vitest';
import { SHOP, testCluster } from '../../helpers/controller-cluster.ts';
import { rowsAt } from '../../helpers/postgres.ts';
import { requires } from '../../helpers/requires.ts';
import { startPooler } from '../../helpers/start-pooler.ts';

describe.runIf(requires('postgresql', 'pgbouncer'))('controllers behind the PgBouncer of the docs', () => {
  it.each([
    ['lends connections for a transaction', {}],
    ['lends connections for a session', { 'pool_mode = transaction': 'pool_mode = session' }],
  ])('that %s: what one begins the other shows, stops and carries on', async (_what, replace) => {
    const { postgres, database, fleet, controller } = await testCluster(3);
    const pooled = await startPooler(postgres.socket, database, replace);
    const [one, two] = await Promise.all([controller(pooled), controller(pooled)]);
    // The lock of migrations is nobody's any more, on whatever connection it was taken.
    expect(await rowsAt(database, "select pid from pg_locks where locktype = 'advisory'")).toEqual([]);
    const linked = () => fleet.hosts.map((host) => host.linked('web'));
    const order = (version: string) => ({ ...SHOP, hosts: fleet.names, ...fleet.pack(version), canary: 1 });
    const id = await one.api.begin(order('web-1'));
    const live = two.api.watch(id);
    await live.until(({ state }) => state === 'paused');
    expect((await two.api.post(`/rollouts/${id}/resume`)).status).toBe(202);
    await live.closed;
    expect(live.events).toEqual(await one.api.storedEvents(id));
    expect(linked()).toEqual(fleet.names.map(() => 'web-1'));
    // What one leaves when it dies, the other ends.
    const left = await one.api.begin(order('web-2'));
    await one.api.watch(left).until(({ state }) => state === 'paused');
    await one.stop('SIGKILL');
    await two.logged(({ msg, operationId }) => msg === 'rollout taken up again' && operationId === left);
    expect((await two.api.post(`/rollouts/${left}/resume`)).status).toBe(202);
    await two.api.watch(left).closed;
    expect(linked()).toEqual(fleet.names.map(() => 'web-2'));
  });

  it('says what a pooler has to be told that refuses how it connects', async () => {
    const { postgres, database, controller } = await testCluster(1);
    const ignored = 'ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout';
    const pooled = await startPooler(postgres.socket, database, { [ignored]: '' });
    await expect(controller(pooled)).rejects.toThrow(
      /cannot be used: unsupported startup parameter: statement_timeout; a pooler has to ignore it, as docs\/pgbouncer\.ini does/,
    );
  });
});
