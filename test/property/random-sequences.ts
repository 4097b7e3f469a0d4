import fc from 'fast-check';
import { sequences } from './commands.ts';
import { before } from './expectation.ts';
import { HostUnderTest } from './host-under-test.ts';
import { type Model, newModel, violations } from './model.ts';
import { ask, type Order, prepare, send } from './orders.ts';
import { projects, type Shipment } from './projects.ts';

export interface Tries {
  runs: number;
  maxCommands: number;
  /** No new run is begun, and no failure made smaller, after this. */
  withinMs: number;
  /** As a failure has printed them, to see it again. A seed is chosen at random otherwise. */
  seed?: number;
  path?: string;
  replayPath?: string;
}

/**
 * Random sequences of deploys, rollbacks, removals, crashes and retries of several projects: after each step the five invariants
 * hold, and at the end every project can be deployed. @throws with seed, path and the shortest commands that fail.
 */
export async function tryRandomSequences({
  runs,
  maxCommands,
  withinMs,
  seed,
  path,
  replayPath,
}: Tries): Promise<void> {
  // One that is interrupted goes on behind fast-check's back.
  let running: Promise<void> = Promise.resolve();
  const property = fc.asyncProperty(sequences(maxCommands, replayPath), (commands) => {
    running = tryOne(commands);
    return running;
  });
  try {
    await fc.assert(property, {
      numRuns: runs,
      interruptAfterTimeLimit: withinMs,
      markInterruptAsFailure: false,
      ...(seed === undefined ? {} : { seed }),
      ...(path === undefined ? {} : { path }),
    });
  } finally {
    await running.catch(() => undefined);
  }
}

async function tryOne(
  commands: Parameters<typeof fc.asyncModelRun<Model, HostUnderTest, boolean, Model>>[1],
): Promise<void> {
  const host = await HostUnderTest.open();
  try {
    await fc.asyncModelRun(() => ({ model: newModel(), real: host }), commands);
    await converge(host);
  } finally {
    await host.close();
  }
}

/** I3, at last: whatever has happened, what is deployed now is current. */
async function converge(host: HostUnderTest): Promise<void> {
  const model = newModel();
  for (const project of projects.keys()) {
    const shipment: Shipment = { project, version: 1, edition: 'b' };
    const order: Order = { kind: 'deploy', shipment, withSha256: true, deletes: undefined, fault: undefined };
    prepare(host, order);
    const told = await send(host, ask(host, order));
    if (told?.kind !== 'activated') throw new Error(`I3 project ${project} was told ${JSON.stringify(told)}`);
    model.current[project] = (await before(host, project)).content;
    model.pinned[project] = Number.POSITIVE_INFINITY;
  }
  await host.agent.settled();
  const found = await violations(model, host);
  if (found.length > 0) throw new Error(found.join('\n'));
}
