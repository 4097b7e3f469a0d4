import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { HealthCheck } from '@sampan/shared/gen/sampan/agent/v1/HealthCheck.ts';
import { TestAgentClient } from './agent-client.ts';
import { tarball } from './archives.ts';
import { type Origin, startOrigin } from './origin.ts';
import { type AgentSettings, type StartedAgent, startAgent } from './start-agent.ts';
import { keptTempDir } from './temp-dir.ts';

/** What an Activate may carry beside its operation and release. */
export interface Activation {
  healthCheck?: HealthCheck;
  /** Default true. */
  autoRollback?: boolean;
  filenameDelete?: string;
  /** Milliseconds; default: the agent's. */
  deadlineMs?: number;
}

/**
 * A host with a real agent process, and an origin of php packages that hold their own version. Each link is a project of its own;
 * all lie in one base. The caller closes it.
 */
export class DeployingHost implements AsyncDisposable {
  readonly root = keptTempDir();
  /** Commands of other users may write here. */
  readonly marks = join(this.root, 'marks');
  readonly origin: Origin;
  readonly #settings: AgentSettings;
  #agent: StartedAgent | undefined;
  #client: TestAgentClient | undefined;

  private constructor(origin: Origin, settings: AgentSettings) {
    this.origin = origin;
    this.#settings = settings;
    // Other users get as far as the releases, as they do on a host.
    chmodSync(this.root, 0o755);
    mkdirSync(this.marks);
    chmodSync(this.marks, 0o777);
  }

  static async start(settings: AgentSettings = {}): Promise<DeployingHost> {
    const host = new DeployingHost(await startOrigin(), settings);
    try {
      await host.startAgent();
      return host;
    } catch (error) {
      await host.#close();
      throw error;
    }
  }

  get agent(): StartedAgent {
    return this.#agent!;
  }

  get client(): TestAgentClient {
    return this.#client!;
  }

  /** Once it has ended, again on the port that it had. */
  async startAgent(): Promise<void> {
    const port = this.#agent ? Number(this.#agent.host.split(':')[1]) : 0;
    this.#agent = await startAgent(this.root, { port, ...this.#settings });
    this.#client = new TestAgentClient(this.#agent.host);
  }

  async stopAgent(signal: NodeJS.Signals): Promise<void> {
    this.client.close();
    await this.agent.stop(signal);
  }

  /** Has the origin offer a version, and says under which URL. */
  offer(version: string): string {
    return this.origin.serve(`/${version}.tar.gz`, tarball({ 'version.txt': version }));
  }

  /** @returns the release's name on the disk. */
  async stage(link: string, version: string, operationId: string): Promise<string> {
    const order = { operationId, target: targetOf(link), fileUrl: this.offer(version), filename: `${version}.tar.gz` };
    return (await this.client.stage(order)).result.release;
  }

  /** Also under an id that was asked for before: it joins, or is told what that came to. */
  activate(link: string, release: string, { operationId, ...more }: Activation & { operationId: string }) {
    const target = targetOf(link);
    return this.client.activate({ operationId, target, release, autoRollback: true, ...more });
  }

  async deploy(link: string, version: string, more: Activation & { operationId?: string } = {}) {
    const operationId = more.operationId ?? `${link}-${version}`;
    const release = await this.stage(link, version, operationId);
    return this.activate(link, release, { ...more, operationId });
  }

  /** The version that a link leads to; null where there is none. */
  current(link: string): string | null {
    const file = join(this.agent.serviceDir, link, 'version.txt');
    return existsSync(file) ? readFileSync(file, 'utf8') : null;
  }

  /** All releases that stand in the base, by their names on the disk. */
  releases(): string[] {
    return readdirSync(join(this.agent.serviceDir, '.deploy'))
      .filter((name) => !name.startsWith('.'))
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgent('SIGKILL');
    await this.#close();
  }

  async #close(): Promise<void> {
    await this.origin.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The target of a link, whose project is called like it. */
export function targetOf(link: string) {
  return { projectName: link, linkName: link, language: 'php', deployDir: '' };
}
