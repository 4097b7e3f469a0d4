import { credentials } from '@grpc/grpc-js';
import { loadProto } from '@sampan/shared/load-proto.ts';
import { expect, it, onTestFinished } from 'vitest';
import { startAgentFleet } from '../../helpers/agent-fleet.ts';
import { fromServiceError } from '../../helpers/from-service-error.ts';

const target = { projectName: 'shop', linkName: 'web', language: 'php', deployDir: '' };
const database = '11111111-2222-4333-8444-555555555555';

/** A controller's calls to one agent, as raw as they are. */
async function oneAgent() {
  const fleet = await startAgentFleet(1);
  onTestFinished(() => fleet[Symbol.asyncDispose]());
  const [host] = fleet.hosts;
  const client = new (loadProto().types.sampan.agent.v1.Agent)(host!.name, credentials.createInsecure());
  onTestFinished(() => client.close());
  const result = (call: NodeJS.ReadableStream): Promise<{ release?: string; code?: string; params?: unknown }> =>
    new Promise((resolve) => {
      let found = {};
      call.on('data', ({ result: end }: { result?: object }) => {
        if (end) found = end;
      });
      call.on('end', () => resolve(found));
      call.on('error', (error) => {
        const { code, params } = fromServiceError(error as never) ?? { code: String(error), params: {} };
        resolve({ code, params });
      });
    });
  return {
    fleet,
    host: host!,
    stage: (operationId: string, version: string, number: number | null) =>
      result(
        client.stage({
          operationId,
          target,
          ...{ fileUrl: fleet.pack(version).file_url, filename: `${version}.tar.gz` },
          holdMs: 1_800_000,
          ...(number === null ? {} : { fence: { database, number } }),
        }),
      ),
    activate: (operationId: string, release: string, number: number | null) =>
      result(
        client.activate({
          operationId,
          target,
          release,
          autoRollback: true,
          ...(number === null ? {} : { fence: { database, number } }),
        }),
      ),
  };
}

it('a controller whose lock has passed to another rollout cannot flip any more, however late its last command comes', async () => {
  const { host, stage, activate } = await oneAgent();
  const first = await stage('op-1', 'web-1', 1);
  expect(first.release).toBe('web-1');
  // Its Activate is held back on the way. Meanwhile its lease has ended, and somebody else has the link.
  const second = await stage('op-2', 'web-2', 2);
  expect(second.release).toBe('web-2');
  await activate('op-2', 'web-2', 2);
  expect(host.linked('web')).toBe('web-2');
  expect(await activate('op-1', 'web-1', 1)).toEqual({
    code: 'COMMAND_OUTDATED',
    params: { number: 1, obeyed: 2, operationId: 'op-2' },
  });
  expect(await stage('op-3', 'web-3', 1)).toEqual({
    code: 'COMMAND_OUTDATED',
    params: { number: 1, obeyed: 2, operationId: 'op-2' },
  });
  expect(host.linked('web')).toBe('web-2');
  expect(host.flips('op-1')).toBe(0);
});

it('one that stages and waits keeps nobody out whose lock came later, but those without one', async () => {
  const { host, stage, activate } = await oneAgent();
  await stage('op-1', 'web-1', 5);
  expect(await stage('op-2', 'web-2', null)).toMatchObject({ code: 'LINK_HELD', params: { operationId: 'op-1' } });
  expect((await stage('op-3', 'web-3', 6)).release).toBe('web-3');
  expect(await activate('op-1', 'web-1', 5)).toEqual({
    code: 'COMMAND_OUTDATED',
    params: { number: 5, obeyed: 6, operationId: 'op-3' },
  });
  expect(host.linked('web')).toBe(null);
});

it('tells the outcome that it has reached to who asks again, whatever was obeyed since', async () => {
  const { stage, activate } = await oneAgent();
  await stage('op-1', 'web-1', 1);
  const done = await activate('op-1', 'web-1', 1);
  await stage('op-2', 'web-2', 2);
  expect(await activate('op-1', 'web-1', 1)).toEqual(done);
});

it('goes back to the very release that was current, as it was told with the result', async () => {
  const { host, stage, activate } = await oneAgent();
  await stage('op-1', 'web-1', 1);
  await activate('op-1', 'web-1', 1);
  await stage('op-2', 'web-2', 2);
  expect(await activate('op-2', 'web-2', 2)).toMatchObject({
    version: 'web-2',
    previousVersion: 'web-1',
    previousRelease: 'web-1',
  });
  expect(await activate('op-2-back', 'web-1', 2)).toMatchObject({ version: 'web-1', previousRelease: 'web-2' });
  expect(host.linked('web')).toBe('web-1');
});
