import { join } from 'node:path';
import { startAgentUnderTls } from '../../processes/start-agent.ts';
import { deploy } from '../controller/calls.ts';
import { startObservedController } from '../controller/observed-controller.ts';
import type { FleetBench } from '../fleet-bench.ts';
import type { Way } from './way.ts';

/** Agents collect their garbage when they have been quiet for three seconds: not while others are measured. */
const REST_MS = 4000;

/** Real agents as they are shipped, commanded by a real controller under TLS: `POST /deploy`. */
export async function sampanWay(
  hosts: readonly string[],
  { bundle, home, dir, agentPort, signal }: FleetBench,
): Promise<Way & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  await home.enroll(hosts);
  const rootOf = (host: string) => join(dir, 'sampan', host);
  for (const host of hosts) {
    const settings = { listen: `${host}:${agentPort}`, identity_dir: join(home.identities, host) };
    started.use(await startAgentUnderTls(bundle.agent, rootOf(host), settings));
  }
  const controller = started.use(await startObservedController(home.program, { config: home.config, dir }));
  const all = started.move();
  return {
    baseOf: (host) => join(rootOf(host), 'service'),
    isTidiedByUs: false,
    restMs: REST_MS,
    ship: (shipment) =>
      deploy(
        controller.url,
        { hosts: shipment.hosts, fileUrl: shipment.url, filename: `${shipment.name}.tar.gz` },
        signal,
      ),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
