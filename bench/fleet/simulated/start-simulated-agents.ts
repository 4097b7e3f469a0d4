import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../../processes/start-program.ts';

const PROGRAM = fileURLToPath(new URL('./simulated-agents.ts', import.meta.url));

export interface SimulatedAgents extends AsyncDisposable {
  hosts: readonly string[];
}

/** Where the agents listen, and who they are: `identities` has a directory of each. */
export interface Places {
  dir: string;
  identities: string;
  port: number;
}

/** Of one process: more stand still for a tenth of a second whenever their garbage is collected. */
const AGENTS_PER_PROCESS = 500;

/** Starts an agent on each of `hosts`, in few processes. */
export async function startSimulatedAgents(
  hosts: readonly string[],
  { dir, identities, port }: Places,
): Promise<SimulatedAgents> {
  await using started = new AsyncDisposableStack();
  for (let from = 0; from < hosts.length; from += AGENTS_PER_PROCESS) {
    const file = join(dir, `agents-${from}.json`);
    await writeFile(file, JSON.stringify(hosts.slice(from, from + AGENTS_PER_PROCESS)));
    started.use(await startProgram([PROGRAM, file, identities, `${port}`], { ready: 'agents are ready', cwd: dir }));
  }
  const all = started.move();
  return { hosts, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
