import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { AgentConnection } from '@sampan/controller/agents/agent-connection.ts';
import { AgentLoss } from '@sampan/controller/agents/agent-loss.ts';
import { AgentPool } from '@sampan/controller/agents/agent-pool.ts';
import { loopbackOnly } from '@sampan/controller/agents/agent-security.ts';
import { callAgent } from '@sampan/controller/agents/call-agent.ts';
import { frame } from '@sampan/controller/grpc/messages.ts';
import { followOperation } from '@sampan/controller/rollout/follow-operation.ts';
import type { HostRun } from '@sampan/controller/rollout/host-run.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSession } from '../../helpers/grpc-server.ts';
import { silentLog } from '../../helpers/silent-log.ts';
import { planHost } from '../../helpers/test-fleet.ts';

const never = new AbortController().signal;

/** Answers every call with these messages, and that it went well. */
async function answering(...messages: Buffer[]): Promise<number> {
  const server = createHttp2Server();
  server.on('stream', (stream) => {
    const served = stream as ServerHttp2Stream;
    served.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    served.on('wantTrailers', () => served.sendTrailers({ 'grpc-status': '0' }));
    served.end(Buffer.concat(messages.map(frame)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('an agent that answers as none of ours does', () => {
  // A field of a kind that there is not.
  const broken = Buffer.from([0x0f]);
  const version = Buffer.from([0x0a, 1, 65]);

  it.each<[string, Buffer[], string]>([
    ['what cannot be read', [broken], 'INTERNAL'],
    ['nothing', [], 'EPROTO'],
    ['twice', [version, version], 'EPROTO'],
  ])('%s is a loss: what it did is not known', async (_what, messages, reason) => {
    const connection = new AgentConnection(await openSession(await answering(...messages)), () => undefined);
    const call = { method: 'GetCurrentVersion' as const, request: {}, timeoutMs: 5_000 };
    const error = await callAgent(connection, call, never).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AgentLoss);
    expect(error).toMatchObject({ reason });
  });
});

describe('a rollout that is abandoned while its agent is still connected to', () => {
  it('has sent nothing, and says so', async () => {
    const abandoning = new AbortController();
    const gone = new DeployError('OPERATION_CANCELLED', {});
    // Where the connection is up, the rollout is no more.
    class AbandonedPool extends AgentPool {
      override async connect(...args: Parameters<AgentPool['connect']>): Promise<AgentConnection> {
        const connection = await super.connect(...args);
        abandoning.abort(gone);
        return connection;
      }
    }
    const agents = new AbandonedPool({ security: loopbackOnly, timeoutMs: 5_000 });
    onTestFinished(() => agents.close());
    const run = {
      agents,
      host: planHost(`127.0.0.1:${await answering()}`),
      operationId: 'op-back',
      fence: null,
      log: silentLog,
      // As on the way back, which nobody cancels.
      stop: { cancelled: never, abandoned: abandoning.signal },
      limits: { timeoutMs: 5_000, deadlineSlackMs: 500, patienceMs: 1_000 },
      deadlineAtMs: performance.now() + 5_000,
      contacted: false,
      activateSent: false,
      onProgress: () => undefined,
    } as unknown as HostRun;
    const error = await followOperation(run, { method: 'Activate', request: (attempt) => attempt }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'OPERATION_CANCELLED' });
    expect(run).toMatchObject({ contacted: false, activateSent: false });
  });
});
