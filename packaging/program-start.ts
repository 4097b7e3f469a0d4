/** How Node is started for a program: its flags, and what is added to its environment. */
export interface ProgramStart {
  flags: readonly string[];
  env: Readonly<Record<string, string>>;
}

/**
 * Left to itself, glibc keeps an arena a thread and what was freed between others; network buffers (64 KiB) go straight back
 * when they are mapped.
 */
const FRUGAL_MALLOC = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '32768' };

/**
 * The agent waits most of its life and has no hot loops of its own: interpreted it is as fast, and does without V8's compilers
 * and their code; a young generation that stays small does as well. With what malloc gives back, all that is 15 to 25 MiB.
 */
export const AGENT_START: ProgramStart = {
  flags: ['--jitless', '--max-semi-space-size=2', '--expose-gc', '--disable-warning=ExperimentalWarning'],
  env: FRUGAL_MALLOC,
};

/**
 * Much of what a call to an agent leaves behind is seen as garbage by a full collection alone, and V8 puts that off until the heap has
 * grown by a multiple: with 2,000 agents it takes 520 MiB of memory. Collected when it has grown by 60 % it takes 410, for a tenth more
 * processor time; by 25 % it would take 380, and connecting would take a sixth longer (npm run bench:fleet).
 */
export const CONTROLLER_START: ProgramStart = {
  flags: ['--max-semi-space-size=4', '--heap-growing-percent=60'],
  env: FRUGAL_MALLOC,
};

/** A shell script that starts `lib/<program>.mjs` so, with the Node that lies beside the script. */
export function launcher(program: string, { flags, env }: ProgramStart): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${value}\n`);
  const node = ['exec "$here/node"', ...flags, `"$here/../lib/${program}.mjs"`, '"$@"'].join(' ');
  return `#!/bin/sh
# Started through a link, it is the release behind it that runs: an upgrade moves the link, and nothing below a process.
here=$(dirname -- "$(readlink -f -- "$0")")
${exports.join('')}${node}
`;
}
