/** One entry of an archive that is being generated. */
export type TarEntry =
  | { type: 'Directory'; path: string }
  | { type: 'File'; path: string; mode: number; content: Buffer }
  | { type: 'SymbolicLink'; path: string; linkpath: string };
