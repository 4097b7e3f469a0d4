import { join } from 'node:path';

/** How the unpacker is started: its program, and what its environment needs. */
export interface UnpackProgram {
  path: string;
  env: Record<string, string>;
}

const PROGRAMS = {
  process: { bundled: 'unpack.mjs', source: 'main.ts' },
  thread: { bundled: 'unpack-thread.mjs', source: 'thread.ts' },
};

/** The unpacker that belongs to this agent: `unpack.mjs` beside a bundled agent, `unpack/main.ts` among the sources; and its thread. */
export function unpackProgram(kind: keyof typeof PROGRAMS): UnpackProgram {
  const { bundled, source } = PROGRAMS[kind];
  if (!import.meta.filename.endsWith('.ts')) return { path: join(import.meta.dirname, bundled), env: {} };
  // Stripping the types anew for every artifact would take 60 ms and 35 MB each time.
  const cache = join(import.meta.dirname, '../../../../node_modules/.cache/sampan-unpack');
  return { path: join(import.meta.dirname, '../unpack', source), env: { NODE_COMPILE_CACHE: cache } };
}
