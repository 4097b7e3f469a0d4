import { Server, ServerCredentials, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import type { DeployError } from '@sampan/shared/errors.ts';
import { ConfigError } from '@sampan/shared/load-config.ts';
import { loadProto } from '@sampan/shared/load-proto.ts';
import type { ListenAddress } from '@sampan/shared/units.ts';
import { HealthImplementation } from 'grpc-health-check';
import type { AgentCore } from './agent-core.ts';
import { agentService } from './agent-service.ts';
import { toServiceError } from './service-error.ts';
import { TlsGate } from './tls-gate.ts';

const SERVICE = 'sampan.agent.v1.Agent';

/** The agent's gRPC port: its service, `grpc.health.v1.Health`, reflection. With an identity, all of it for the controller alone. */
export class GrpcServer {
  readonly #server: Server;
  readonly #gate: TlsGate | undefined;
  readonly #health = new HealthImplementation({ '': 'SERVING', [SERVICE]: 'SERVING' });

  constructor(core: AgentCore) {
    const { identity, services } = core;
    if (identity === undefined) {
      this.#server = new Server();
    } else {
      const gate = new TlsGate(identity, (socket) => injector.injectConnection(socket), services.log);
      this.#gate = gate;
      this.#server = new Server({ interceptors: [guard((peer) => gate.refusalOf(peer))] });
      // Plain to gRPC: the gate has taken TLS off.
      const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    }
    const { definition, types } = loadProto();
    this.#server.addService(types.sampan.agent.v1.Agent.service, agentService(core));
    this.#health.addToServer(this.#server);
    new ReflectionService(definition).addToServer(this.#server);
  }

  /** Opens the port; says which, where 0 was asked for. */
  listen({ host, port }: ListenAddress): Promise<number> {
    if (this.#gate) return this.#gate.listen({ host, port });
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
    this.#gate?.close();
    await new Promise<void>((resolve) => {
      // A connection on which no HTTP/2 was ever spoken is forgotten by gRPC, which then waits for it for good.
      const timer = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Asks at each call, of each method, whether its peer may still be obeyed: a connection outlives the certificate that opened it. */
function guard(refusalOf: (peer: string) => DeployError | undefined): ServerInterceptor {
  return (_method, call) => {
    const refused = refusalOf(call.getPeer());
    return new ServerInterceptingCall(call, refused && { start: () => call.sendStatus(toServiceError(refused)) });
  };
}
