import { readFileSync, rmSync } from 'node:fs';
import { type Origin, startOrigin } from './origin.ts';
import { sendRequest } from './send-request.ts';
import { type AgentSettings, agentConfig, type StartedAgent, startAgent } from './start-agent.ts';
import { type StartedController, startController } from './start-controller.ts';
import { keptTempDir } from './temp-dir.ts';

/** What a deploy or rollback is about. The rest of the documented fields may be added and are sent as they are. */
export type SystemOrder = Record<string, unknown> & {
  /** Default: the link's name. */
  project_name?: string;
  link_name: string;
  language: string;
  filename: string;
  /** The artifact to offer: its bytes, or the file that has them. A rollback needs none. */
  bytes?: Buffer;
  file?: string;
};

/** A controller, one agent and an origin, as real processes and real HTTP, and the documented API as its callers use it. */
export interface TestSystem {
  agent: StartedAgent;
  origin: Origin;
  /** Each resolves with the answer's whole body. */
  deploy(order: SystemOrder): Promise<unknown>;
  rollback(order: SystemOrder): Promise<unknown>;
  initDeploy(of: { project_name: string; language: string; text: string }): Promise<unknown>;
  /** What get_current_version says of the one host: the version, or why there is none. */
  version(order: SystemOrder): Promise<unknown>;
  /** What get_latest_log says of the one host: the text, or why there is none. */
  latestLog(of: { project_name: string; language: string; logname: string; line: number }): Promise<unknown>;
  /** How often the agent asked the origin for that file of a project. */
  requestsFor(order: SystemOrder): number;
  readonly deployed: { status_code: number; data: string };
  readonly rolledBack: { status_code: number; data: string };
  stop(): Promise<void>;
}

export interface SystemSettings {
  /** Added to agent.yaml, at the top level. */
  agent?: AgentSettings;
  /** Added to one language of agent.yaml. */
  languages?: Partial<Record<'php' | 'java' | 'golang', Record<string, unknown>>>;
}

/** Starts all three. The caller stops them, which also removes all their files. */
export async function startSystem({ agent: settings = {}, languages = {} }: SystemSettings = {}): Promise<TestSystem> {
  const root = keptTempDir();
  const own = agentConfig(root).languages;
  const merged = {
    php: { ...own.php, ...languages.php },
    java: { ...own.java, ...languages.java },
    golang: { ...own.golang, ...languages.golang },
  };
  const [agent, controller, origin, stop] = await allOrNone(root, [
    startAgent(root, { languages: merged, ...settings }),
    startController(),
    startOrigin(),
  ]);
  const post = async (path: string, body: object) =>
    (await sendRequest(controller.url + path, { method: 'POST', body: { server_list: [agent.host], ...body } })).body;
  return {
    agent,
    origin,
    deployed: { status_code: 200, data: '部署成功!' },
    rolledBack: { status_code: 200, data: '回滚成功!' },
    deploy(order) {
      const { bytes, file, ...fields } = fieldsOf(order);
      const content = bytes ?? (file === undefined ? undefined : readFileSync(file));
      const path = pathOf(order);
      if (content) origin.serve(path, content);
      return post('/deploy', { file_url: origin.url + path, ...fields });
    },
    rollback(order) {
      const { bytes: _, file: __, ...fields } = fieldsOf(order);
      return post('/rollback', fields);
    },
    initDeploy: ({ text, ...fields }) => post('/init_deploy', { superconf_content: text, ...fields }),
    async version(order) {
      const { project_name, link_name, language, deploy_dir } = fieldsOf(order);
      const query = new URLSearchParams({ project_name, link_name, language, server_list: agent.host });
      if (typeof deploy_dir === 'string') query.set('deploy_dir', deploy_dir);
      return ofHost(agent.host, (await sendRequest(`${controller.url}/get_current_version?${query}`)).body);
    },
    async latestLog(of) {
      const body = { server_list: [agent.host], ...of };
      return ofHost(agent.host, (await sendRequest(`${controller.url}/get_latest_log`, { body })).body);
    },
    requestsFor: (order) => origin.requests(pathOf(order)),
    stop,
  };
}

/** What an answer of two halves says of a host. */
function ofHost(host: string, body: unknown): unknown {
  const { succeed, failed } = (body as { data: Record<'succeed' | 'failed', Record<string, string>> }).data;
  return succeed[host] ?? failed[host];
}

/** What has started does not outlive what has not. */
async function allOrNone(root: string, starting: [Promise<StartedAgent>, Promise<StartedController>, Promise<Origin>]) {
  const [agent, controller, origin] = await Promise.allSettled(starting);
  const stop = async () => {
    await Promise.all([
      agent.status === 'fulfilled' && agent.value.stop(),
      controller.status === 'fulfilled' && controller.value.stop(),
      origin.status === 'fulfilled' && origin.value.close(),
    ]);
    rmSync(root, { recursive: true, force: true });
  };
  try {
    return [...(await Promise.all(starting)), stop] as const;
  } catch (error) {
    await stop();
    throw error;
  }
}

function fieldsOf(order: SystemOrder): SystemOrder & { project_name: string } {
  return { project_name: order.link_name, ...order };
}

/** Of each project its own: two of them may ship the same name. */
function pathOf(order: SystemOrder): string {
  return `/${fieldsOf(order).project_name}/${order.filename}`;
}
