/** Node warns of `node:ffi`, which is experimental, unless told not to: only a program that was started as shipped uses it. */
export const SILENT_FFI = '--disable-warning=ExperimentalWarning';

interface Ffi {
  dlopen(
    library: string,
    functions: Readonly<Record<string, { arguments: readonly string[]; return: string }>>,
  ): { functions: LibcFunctions & { __errno_location(): bigint } };
  getInt32(address: bigint): number;
}

/** What we call of the C library: what Node has not got. Each returns -1 where it failed. */
interface LibcFunctions {
  madvise(address: bigint, length: bigint, advice: number): number;
  syncfs(fd: number): number;
}

export interface Libc extends LibcFunctions {
  /** What the call before, of this thread, has left there if it failed. */
  errno(): number;
}

const SIGNATURES = {
  madvise: { arguments: ['pointer', 'u64', 'i32'], return: 'i32' },
  syncfs: { arguments: ['i32'], return: 'i32' },
  __errno_location: { arguments: [], return: 'pointer' },
};

let loaded: Libc | undefined;

/** Undefined where this Node has no FFI, or was not started as shipped, or where the C library is not glibc. */
export function libc(): Libc | undefined {
  if (process.execArgv.includes(SILENT_FFI)) loaded ??= load();
  return loaded;
}

function load(): Libc | undefined {
  const ffi = process.getBuiltinModule('node:ffi') as unknown as Ffi | undefined;
  if (!ffi) return undefined;
  try {
    const { madvise, syncfs, __errno_location: errnoLocation } = ffi.dlopen('libc.so.6', SIGNATURES).functions;
    return { madvise, syncfs, errno: () => ffi.getInt32(errnoLocation()) };
  } catch {
    // Another C library than glibc.
    return undefined;
  }
}
