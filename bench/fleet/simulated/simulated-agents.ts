import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, ServerCredentials, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { Identity } from '@sampan/agent/identity/identity.ts';
import { toServiceError } from '@sampan/agent/server/service-error.ts';
import { TlsGate } from '@sampan/agent/server/tls-gate.ts';
import { loadProto } from '@sampan/shared/load-proto.ts';
import { createLogger } from '@sampan/shared/logger.ts';
import { HEALTH, simulatedService } from './simulated-service.ts';

const log = createLogger('simulated-agents', 'silent');

// A program: many agents in one process, each on an address of its own, with an identity of its own and the agent's own door.
// Arguments: a JSON file with the list of addresses, the directory with an identity of each, and the port.
if (import.meta.main) await serve();

async function serve(): Promise<void> {
  const [file = '', identities = '', port = '0'] = process.argv.slice(2);
  const hosts = JSON.parse(await readFile(file, 'utf8')) as string[];
  await Promise.all(hosts.map((host) => startOne(host, join(identities, host), Number(port))));
  process.stdout.write('{"msg":"agents are ready"}\n');
}

async function startOne(host: string, identityDir: string, port: number): Promise<void> {
  const identity = await Identity.open(identityDir);
  const gate = new TlsGate(identity, (socket) => injector.injectConnection(socket), log);
  const server = new Server({ interceptors: [asked(gate)] });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  server.addService(loadProto().types.sampan.agent.v1.Agent.service, simulatedService(host, identity));
  server.addService(HEALTH.definition, HEALTH.implementation);
  await gate.listen({ host, port });
}

/** Who calls is judged at each call, as an agent does. */
function asked(gate: TlsGate): ServerInterceptor {
  return (_method, call) => {
    const refused = gate.refusalOf(call.getPeer());
    return new ServerInterceptingCall(call, refused && { start: () => call.sendStatus(toServiceError(refused)) });
  };
}
