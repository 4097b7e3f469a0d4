import { setTimeout as delay } from 'node:timers/promises';
import type { AnswerOf } from '@sampan/shared/agent-definition.ts';
import { errorText } from '@sampan/shared/error-text.ts';
import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import { z } from 'zod';
import { AgentLoss, isLoss, lossReason } from '../../agents/agent-loss.ts';
import { readSlowly } from '../../agents/read-events.ts';
import type { Fleet } from '../../fleet.ts';
import { backoffMs } from '../../rollout/backoff.ts';
import type { Host } from '../../rollout/rollout-plan.ts';
import type { ControllerApp } from '../controller-app.ts';
import * as fields from './fields.ts';
import { CLOSE, SocketSender } from './socket-sender.ts';
import { type V1Services, v1Access } from './v1-services.ts';

const MAX_HOSTS_A_SOCKET = 100;
const MAX_LINES = 999;
const DAY_MS = 86_400_000;
const LINES = `a number from 1 to ${MAX_LINES}`;
const LOG_NAMES = ['info.log', 'warning.log', 'error.log'] as const;

/**
 * `GET /v1/logs/follow`, a WebSocket: the last lines of a log on each host, then what is appended, across rotation. A message is
 * `{host, text}`, with `rotated` where a new file begins; `{host, error}` where a host fails, or its agent is lost.
 */
export function followLogsRoute(app: ControllerApp, { fleet, agentPort }: V1Services): void {
  app.route({
    method: 'GET',
    url: '/logs/follow',
    config: v1Access('read', 'named'),
    schema: {
      summary: 'Follow a log on one host or many, over a WebSocket',
      description:
        'Messages: {host, text, rotated?, truncated?}; {host, error: {code, detail}} where a host fails. A lost agent is asked again: resumed says that it is back, its last line comes again, and what was written meanwhile may be missing.',
      querystring: followQuery(agentPort),
    },
    handler: async () => {
      throw new DeployError('INVALID_REQUEST', { field: 'Upgrade', found: '', expected: 'websocket' });
    },
    wsHandler: (socket, request) => {
      const { hosts, ...what } = request.query as z.output<ReturnType<typeof followQuery>>;
      const sender = new SocketSender(socket);
      const all = hosts.map((host) => follow(fleet, { host, what, sender }));
      void Promise.all(all).then(
        () => sender.close(CLOSE.done, 'no host can be followed any more'),
        (error: unknown) => {
          if (sender.gone.aborted) return;
          request.log.error({ err: error }, 'logs could not be sent');
          sender.close(CLOSE.failed, 'internal error');
        },
      );
    },
  });
}

function followQuery(agentPort: number) {
  return z
    .strictObject({
      project_name: fields.name,
      language: fields.language,
      logname: z.enum(LOG_NAMES, { error: `one of ${LOG_NAMES.join(', ')}` }),
      deploy_dir: fields.deployDir,
      lines: fields.queryNumber(LINES, { min: 1, max: MAX_LINES }).default(10),
      hosts: fields
        .hostsOfQuery(agentPort)
        .refine((hosts) => hosts.length <= MAX_HOSTS_A_SOCKET, { error: `at most ${MAX_HOSTS_A_SOCKET} hosts` }),
    })
    .transform((query) => ({
      hosts: query.hosts,
      projectName: query.project_name,
      language: query.language,
      logname: query.logname,
      deployDir: query.deploy_dir ?? '',
      lines: query.lines,
    }));
}

interface Following {
  host: Host;
  what: { projectName: string; language: string; logname: string; deployDir: string; lines: number };
  sender: SocketSender;
}

/** One host, until it cannot be followed any more. @throws what `sender.gone` was aborted with. */
async function follow(fleet: Fleet, { host, what, sender }: Following): Promise<void> {
  let lines = what.lines;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const connection = await fleet.agents.connect(host.address, sender.gone);
      const request = { ...what, lines, follow: true };
      const call = { method: 'ReadLog' as const, request, timeoutMs: DAY_MS };
      for await (const chunk of readSlowly(connection, call, sender.gone)) {
        if (attempt > 0) await sender.send({ host: host.name, resumed: true });
        attempt = 0;
        lines = 1;
        await sender.send(messageOf(host, chunk));
      }
      throw new AgentLoss('EPROTO');
    } catch (error) {
      sender.gone.throwIfAborted();
      const told = isLoss(error) ? new DeployError('AGENT_LOST', { reason: lossReason(error) }) : asDeployError(error);
      const detail = isLoss(error) ? `lost the agent: ${lossReason(error)}` : errorText(told, 'en');
      await sender.send({ host: host.name, error: { code: told.code, detail } });
      if (!isLoss(error)) return;
      await delay(backoffMs(attempt), undefined, { signal: sender.gone });
    }
  }
}

function messageOf(host: Host, { text, rotated, truncated }: AnswerOf<'ReadLog'>): object {
  return { host: host.name, text, ...(rotated ? { rotated } : {}), ...(truncated ? { truncated } : {}) };
}
