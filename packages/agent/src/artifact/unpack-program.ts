import { join } from 'node:path';

/** How the unpacker is started: its program, and what its environment needs. */
export interface UnpackProgram {
  path: string;
  env: Record<string, string>;
}

/** The unpacker that belongs to this agent: `unpack.mjs` beside a bundled agent, `unpack/main.ts` among the sources. */
export function unpackProgram(): UnpackProgram {
  if (!import.meta.filename.endsWith('.ts')) return { path: join(import.meta.dirname, 'unpack.mjs'), env: {} };
  // Stripping the types anew for every artifact would take 60 ms and 35 MB each time.
  const cache = join(import.meta.dirname, '../../../../node_modules/.cache/sampan-unpack');
  return { path: join(import.meta.dirname, '../unpack/main.ts'), env: { NODE_COMPILE_CACHE: cache } };
}
