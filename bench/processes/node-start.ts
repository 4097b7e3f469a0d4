/** How Node is started: its flags, and what is added to its environment. */
export interface NodeStart {
  flags: readonly string[];
  env: Readonly<Record<string, string>>;
}

export const PLAIN: NodeStart = { flags: [], env: {} };

/**
 * Modest with memory, for a process that waits most of its life and has no hot loops of its own. The flags keep V8 from
 * growing its heap ahead of need and from loading its optimizing compilers; glibc, told so, keeps one malloc arena instead
 * of one a thread, and gives freed memory back.
 */
export const MODEST: NodeStart = {
  flags: ['--max-semi-space-size=1', '--optimize-for-size', '--no-opt', '--no-maglev'],
  env: { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' },
};
