import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SecureContext } from 'node:tls';
import type { ListReleasesResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/ListReleasesResponse.ts';
import { TestAgentClient } from '../../helpers/agent-client.ts';
import { type Origin, startOrigin } from '../../helpers/origin.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { agentConfig } from '../../helpers/start-agent.ts';
import { type StartedController, startController } from '../../helpers/start-controller.ts';
import type { StartedProcess } from '../../helpers/start-process.ts';
import { keptTempDir } from '../../helpers/temp-dir.ts';
import { V1Client } from '../../helpers/v1-client.ts';
import { type Answer, DEPLOYED } from './answer.ts';
import { AGENT_PORT, type AgentHome, ownAddress, startAgentAt } from './fault-agent.ts';
import type { Base } from './invariants.ts';
import { NEIGHBOUR, type Neighbour, neighbourPackage, watchNeighbour } from './neighbour.ts';
import { type Package, packageOf } from './package.ts';
import { until } from './until.ts';

export interface WorldSettings {
  /** Added to agent.yaml and controller.yaml, at the top level. */
  agent?: Record<string, unknown>;
  controller?: Record<string, unknown>;
  /** Added to languages of agent.yaml; paths below the root may be meant. */
  languages?: (root: string) => Partial<Record<'php' | 'java' | 'golang', object>>;
  agentEnv?: Record<string, string>;
  controllerEnv?: Record<string, string>;
  /** Words before the agent's command line; see `startProcess`. */
  agentThrough?: readonly string[];
  /** Where the agent and the origin listen; default: loopback addresses. */
  agentAddress?: string;
  originAddress?: string;
  /** Where the agent has everything; default: a directory in memory. The caller removes one that it gave. */
  root?: string;
  /** What the checks speak to an agent under TLS with. */
  agentContext?: SecureContext;
  /** Nothing is deployed yet: no release, no neighbour. */
  bare?: boolean;
  /** The base's directory below the root: `service` (default), or that of a golang project. */
  base?: string;
  /** Replaces fields of every request to /deploy. */
  order?: Record<string, unknown>;
}

/** What a caller asks of /deploy. */
export type DeployBody = Record<string, unknown>;

/**
 * One controller, one agent, one origin, all real, and one project with a release that is current, beside a neighbour. Agents
 * die and come back at the same address.
 */
export class World {
  readonly base: Base;
  readonly home: AgentHome;
  readonly host: string;
  readonly origin: Origin;
  readonly #settings: WorldSettings;
  readonly #controllerDir: string;
  readonly #packages = new Map<string, Package[]>();
  readonly #order: Record<string, unknown>;
  readonly #ownsRoot: boolean;
  #agent: StartedProcess;
  #controller: StartedController;
  #neighbour: Neighbour | undefined;
  #versions = 0;

  static async open(settings: WorldSettings = {}): Promise<World> {
    const root = settings.root ?? keptTempDir();
    const home: AgentHome = {
      root,
      address: settings.agentAddress ?? ownAddress(),
      settings: { ...settings.agent, languages: languagesOf(root, settings) },
      env: settings.agentEnv ?? {},
      through: settings.agentThrough ?? [],
    };
    const controllerDir = keptTempDir();
    const controller = await startControllerAt(controllerDir, settings);
    const origin = await startOrigin(settings.originAddress);
    const agent = await startAgentAt(home).catch(async (error: unknown) => {
      await Promise.all([controller.stop('SIGKILL'), origin.close()]);
      throw error;
    });
    const world = new World({ settings, home, agent, controllerDir, controller, origin });
    try {
      if (!settings.bare) await world.#furnish();
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  private constructor(parts: {
    settings: WorldSettings;
    home: AgentHome;
    agent: StartedProcess;
    controllerDir: string;
    controller: StartedController;
    origin: Origin;
  }) {
    const { settings, home, agent, controllerDir, controller, origin } = parts;
    this.#settings = settings;
    this.#controllerDir = controllerDir;
    this.home = home;
    this.host = `${home.address}:${AGENT_PORT}`;
    this.#agent = agent;
    this.#controller = controller;
    this.origin = origin;
    this.#order = settings.order ?? {};
    this.#ownsRoot = settings.root === undefined;
    this.base = { dir: join(home.root, settings.base ?? 'service'), packages: this.#packages };
  }

  get agent(): StartedProcess {
    return this.#agent;
  }

  get controller(): StartedController {
    return this.#controller;
  }

  get linkName(): string {
    return String(this.request(neighbourPackage).link_name);
  }

  /** A package of the next version, known to the checks; its origin serves it until something else is served there. */
  next(make: (version: string) => Package = packageOf): Package {
    this.#versions += 1;
    return this.know(make(`web-${this.#versions}`));
  }

  know(made: Package): Package {
    this.#packages.set(made.version, [...(this.#packages.get(made.version) ?? []), made]);
    this.origin.serve(`/${made.filename}`, made.bytes);
    return made;
  }

  request(made: Package, more: DeployBody = {}): DeployBody {
    return {
      project_name: 'shop',
      link_name: 'web',
      language: 'php',
      server_list: [this.host],
      file_url: `${this.origin.url}/${made.filename}`,
      filename: made.filename,
      ...this.#order,
      ...more,
    };
  }

  async deploy(made: Package, more: DeployBody = {}): Promise<Answer> {
    return await this.post('/deploy', this.request(made, more));
  }

  async post(path: string, body: object | string): Promise<Answer> {
    return (await sendRequest(this.controller.url + path, { method: 'POST', body })).body as Answer;
  }

  /** What the agent itself lists of the project, by the names on its disk. */
  async listed(): Promise<string[]> {
    const client = new TestAgentClient(this.host, this.#settings.agentContext);
    const { project_name, link_name, language, deploy_dir = '' } = this.request(neighbourPackage);
    const target = { projectName: project_name, linkName: link_name, language, deployDir: deploy_dir };
    try {
      const { releases } = await client.call<object, ListReleasesResponse__Output>('listReleases', { target });
      return releases.map(({ release }) => release);
    } finally {
      client.close();
    }
  }

  /** The agent comes back, killed before if it still lives. */
  async restartAgent(): Promise<void> {
    await this.#agent.stop('SIGKILL');
    this.#agent = await startAgentAt(this.home);
  }

  /** The controller comes back with the database that it had, at another port; killed before if it still lives. */
  async restartController(): Promise<void> {
    await this.#controller.stop('SIGKILL');
    this.#controller = await startControllerAt(this.#controllerDir, this.#settings);
  }

  /** Resolves when the controller has written its last word on a deploy: that its caller was told. */
  async writtenDown({ filename }: Package): Promise<void> {
    const db = new DatabaseSync(join(this.#controllerDir, 'sampan.db'), { readOnly: true });
    try {
      const told = db.prepare('select 1 from rollouts where answered_at is not null and instr(plan, ?) > 0');
      await until('it is written down that its caller was told', () => told.get(`"${filename}"`) !== undefined);
    } finally {
      db.close();
    }
  }

  /** Resolves when the controller has heard that the agent is at this step of the newest rollout. */
  async heardOf(step: string): Promise<void> {
    const api = new V1Client(this.controller.url);
    const { rollouts } = (await api.get('/rollouts?limit=1')).body as { rollouts: { id: string }[] };
    const watch = api.watch(rollouts[0]!.id);
    await watch.until((event) => event.host === this.host && event.step === step);
    watch.socket.close();
  }

  /** All that both processes have logged or printed, and all that the agent keeps in files of its own. */
  everythingWritten(): string {
    const logs = [this.#agent, this.controller].map(({ log, text }) => JSON.stringify([log, text]));
    const dirs = [join(this.home.root, 'state'), join(this.base.dir, '.deploy/.meta')];
    const files = dirs.flatMap((dir) =>
      readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
    );
    return [...logs, ...files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'))].join('\n');
  }

  async neighbourFaults(): Promise<string[]> {
    return (await this.#neighbour?.faults()) ?? [];
  }

  async close(): Promise<void> {
    await this.#neighbour?.stop();
    await Promise.all([this.#agent.stop('SIGKILL'), this.controller.stop('SIGKILL'), this.origin.close()]);
    const dirs = [this.#controllerDir, ...(this.#ownsRoot ? [this.home.root] : [])];
    for (const dir of dirs) await rm(dir, { recursive: true, force: true });
  }

  async #furnish(): Promise<void> {
    this.know(neighbourPackage);
    await this.#mustDeploy(neighbourPackage, { ...this.#order, ...NEIGHBOUR, language: this.#order.language ?? 'php' });
    this.#neighbour = await watchNeighbour(this.base.dir);
    await this.#mustDeploy(this.next());
  }

  async #mustDeploy(made: Package, more: DeployBody = {}): Promise<void> {
    const answer = await this.deploy(made, { ...more, is_restart: false });
    if (answer.status_code !== DEPLOYED.status_code) throw new Error(JSON.stringify(answer));
  }
}

function startControllerAt(dir: string, { controller, controllerEnv }: WorldSettings): Promise<StartedController> {
  return startController({ database: `sqlite:${dir}/sampan.db`, ...controller }, controllerEnv);
}

function languagesOf(root: string, { languages = () => ({}) }: WorldSettings): Record<string, object> {
  const { php, java, golang } = agentConfig(root).languages;
  const more = languages(root);
  return { php: { ...php, ...more.php }, java: { ...java, ...more.java }, golang: { ...golang, ...more.golang } };
}
