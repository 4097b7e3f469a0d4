import { onTestFinished } from 'vitest';
import { type AgentFleet, startAgentFleet } from './agent-fleet.ts';
import { startPostgresProxy, TestPostgres } from './postgres.ts';
import { type StartedController, startController } from './start-controller.ts';
import { V1Client } from './v1-client.ts';

/** What most tests deploy, by `/v1`. */
export const SHOP = { operation: 'deploy', project_name: 'shop', link_name: 'web', language: 'php' };

/** Several controllers on one PostgreSQL, and agents that they all command; ends with the test. */
export interface Cluster {
  postgres: TestPostgres;
  /** As `database:` takes it. */
  database: string;
  fleet: AgentFleet;
  /** One more controller; at a database of its own way of getting there, if `database` is given, and with more in its environment. */
  controller(database?: string, env?: Record<string, string>): Promise<Member>;
  /** A wire to the database that can be cut. */
  wire(): Promise<Awaited<ReturnType<typeof startPostgresProxy>>>;
}

export interface Member extends StartedController {
  api: V1Client;
}

export async function testCluster(hosts: number, settings: Record<string, unknown> = {}): Promise<Cluster> {
  const postgres = await TestPostgres.start();
  onTestFinished(() => postgres.stop());
  const database = await postgres.createDatabase();
  const fleet = await startAgentFleet(hosts, settings);
  onTestFinished(() => fleet[Symbol.asyncDispose]());
  return {
    postgres,
    database,
    fleet,
    async controller(at = database, env = {}) {
      const controller = await startController({ database: at }, env);
      onTestFinished(async () => {
        // One that was stopped by SIGSTOP ends by this alone.
        await controller.stop('SIGKILL');
      });
      return { ...controller, api: new V1Client(controller.url) };
    },
    async wire() {
      const proxy = await startPostgresProxy(postgres.socket);
      onTestFinished(() => proxy.close());
      return proxy;
    },
  };
}
