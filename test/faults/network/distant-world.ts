import { type Snag, snagIn } from '../harness/hanging-once.ts';
import type { Wire } from '../harness/wire.ts';
import { World } from '../harness/world.ts';

/** A world whose agent sits at the far end of a wire, and has hooks that can be made to hang. */
export interface DistantWorld {
  world: World;
  /** Hangs before the flip. */
  before: Snag;
  /** Hangs after it. */
  after: Snag;
}

/** How long is waited for an agent, and how often an origin is asked. */
export interface Patience {
  connect: string;
  attempts: number;
}

/** Runs `play` in one, short of patience: so that a test can wait for what takes half an hour otherwise. */
export async function inDistantWorld<T>(
  wire: Wire,
  play: (distant: DistantWorld) => Promise<T>,
  { connect, attempts }: Patience = { connect: '1s', attempts: 20 },
): Promise<T> {
  const snags: Pick<DistantWorld, 'before' | 'after'>[] = [];
  const world = await World.open({
    agentAddress: wire.far,
    agentThrough: wire.intoFar,
    originAddress: wire.near,
    agent: { download: { idle_timeout: '1s', attempts } },
    controller: { agents: { connect_timeout: connect }, rollouts: { timeout: '8s' } },
    languages: (root) => {
      const snag = { before: snagIn(root, 'before'), after: snagIn(root, 'after') };
      snags.push(snag);
      const hook = ({ script }: Snag) => ({ run: ['sh', '-c', script] });
      return { php: { hooks: { pre_activate: hook(snag.before), post_activate: hook(snag.after) } } };
    },
  });
  try {
    return await play({ world, ...snags[0]! });
  } finally {
    await world.close();
  }
}
