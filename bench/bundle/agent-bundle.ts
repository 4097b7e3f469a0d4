import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle } from '../../packaging/bundle/bundle.ts';

/** What the benchmark measures of the agent beside the agent itself, loaded into the benchmark's own process. */
export type MeasuredParts = typeof import('./measured-parts.ts');

/** The agent as it is shipped; programs are paths. */
export interface AgentBundle {
  agent: string;
  /** These two only exist to compare with. */
  unpackWorker: string;
  unpackHost: string;
  parts: MeasuredParts;
}

/** Bundles the agent, its unpacker and what is measured of them alone into `dir`. */
export async function bundleAgent(dir: string): Promise<AgentBundle> {
  await bundle(
    {
      'sampan-agent': 'packages/agent/src/main.ts',
      unpack: 'packages/agent/src/unpack/main.ts',
      'unpack-thread': 'packages/agent/src/unpack/thread.ts',
      'unpack-worker': 'bench/worker/unpack-worker.ts',
      'unpack-host': 'bench/worker/unpack-host.ts',
      'measured-parts': 'bench/bundle/measured-parts.ts',
    },
    dir,
  );
  const program = (name: string) => join(dir, `${name}.mjs`);
  return {
    agent: program('sampan-agent'),
    unpackWorker: program('unpack-worker'),
    unpackHost: program('unpack-host'),
    parts: (await import(pathToFileURL(program('measured-parts')).href)) as MeasuredParts,
  };
}
