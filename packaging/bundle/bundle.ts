import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { builtinsByRequire } from './builtins-by-require.ts';
import { englishZod } from './english-zod.ts';
import { LIBRARY_FILES, libraryFiles } from './library-files.ts';

const repository = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Definitions that are read from `proto/` at run time: ours, and those of the libraries that bring services of their own. */
const PROTOS = ['proto', 'node_modules/grpc-health-check/proto', 'node_modules/@grpc/reflection/build/proto'];

/** CommonJS libraries need `require`; those that read `${__dirname}/../../proto` find the one beside the bundle. */
const BANNER = [
  "import { createRequire } from 'node:module';",
  'const require = createRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  "const __dirname = import.meta.dirname + '/from/library';",
].join('\n');

/**
 * Bundles programs as they are shipped: one `.mjs` each, the parts that they share and `proto/` beside them. Keys of `programs`
 * are their names in `outDir`, values their sources from the repository's root.
 */
export async function bundle(programs: Record<string, string>, outDir: string): Promise<void> {
  await mkdir(outDir, { recursive: true });
  await build({
    entryPoints: Object.fromEntries(Object.entries(programs).map(([name, source]) => [name, repository(source)])),
    outdir: outDir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    // What is imported where it is needed stays a file of its own.
    splitting: true,
    chunkNames: 'part-[hash]',
    target: 'node26',
    // Names stay as they are written: short ones would have to be put right at start-up (`keepNames`), which costs 5 MiB.
    minifyWhitespace: true,
    minifySyntax: true,
    // One author's name is not ASCII, and would make V8 hold the whole source at two bytes a character.
    legalComments: 'linked',
    banner: { js: BANNER },
    plugins: [builtinsByRequire, englishZod, libraryFiles],
    logLevel: 'error',
  });
  for (const from of PROTOS) await cp(repository(from), join(outDir, 'proto'), { recursive: true });
}

/** Copies what libraries of a bundle read at run time beside it. */
export async function copyLibraryFiles(outDir: string): Promise<void> {
  for (const [name, folder] of Object.entries(LIBRARY_FILES)) {
    await cp(repository(join(folder, 'static')), join(outDir, name, 'static'), { recursive: true });
  }
}
