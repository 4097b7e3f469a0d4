import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { loadProto } from '@sampan/shared/load-proto.ts';
import type { ListenAddress } from '@sampan/shared/units.ts';
import { HealthImplementation } from 'grpc-health-check';
import type { AgentCore } from './agent-core.ts';
import { agentService } from './agent-service.ts';

const SERVICE = 'sampan.agent.v1.Agent';

/** The agent's gRPC port: its service, `grpc.health.v1.Health`, reflection. */
export class GrpcServer {
  readonly #server = new Server();
  readonly #health = new HealthImplementation({ '': 'SERVING', [SERVICE]: 'SERVING' });

  constructor(core: AgentCore) {
    const { definition, types } = loadProto();
    this.#server.addService(types.sampan.agent.v1.Agent.service, agentService(core));
    this.#health.addToServer(this.#server);
    new ReflectionService(definition).addToServer(this.#server);
  }

  /** Opens the port; says which, where 0 was asked for. */
  listen({ host, port }: ListenAddress): Promise<number> {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(new ConfigError(`cannot listen on ${address}: ${error.message}`)) : resolve(bound),
      );
    });
  }

  /** Says NOT_SERVING to health checks, while calls are still answered. */
  drain(): void {
    this.#health.setStatus('', 'NOT_SERVING');
    this.#health.setStatus(SERVICE, 'NOT_SERVING');
  }

  /** Answers the calls that run, at most for `graceMs`, and closes. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#server.forceShutdown(), graceMs);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(timer);
  }
}
