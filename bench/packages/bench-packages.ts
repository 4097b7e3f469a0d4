import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeModulesLike } from './node-modules-like.ts';
import { phpLike } from './php-like.ts';
import { singleBigFile } from './single-big-file.ts';
import { SourceText } from './source-text.ts';
import type { TarEntry } from './tar-entry.ts';
import { writeTarGz } from './write-tar-gz.ts';

/** A generated package, standing in the origin's directory. */
export interface BenchPackage {
  name: string;
  /** For people. */
  about: string;
  filename: string;
  compressedMib: number;
  /** Most that download-and-unpack may take, as a ratio to `curl | tar`. */
  aim: number;
}

interface Recipe {
  name: string;
  about: string;
  aim: number;
  entries: Iterable<TarEntry>;
}

/** Makes the three packages of the benchmark in `dir`; the same bytes in every run. */
export function makePackages(dir: string, quick: boolean, signal: AbortSignal): Promise<BenchPackage[]> {
  const text = new SourceText(1, (quick ? 0.25 : 8) * 2 ** 20);
  return Promise.all(recipes(quick ? 100 : 1, text).map((recipe) => make(recipe, dir, signal)));
}

function recipes(divisor: number, text: SourceText): Recipe[] {
  const php = 12_000 / divisor;
  const modules = 40_000 / divisor;
  const megabytes = 150 / Math.min(divisor, 30);
  return [
    {
      name: 'php',
      about: `php application, ${php} files`,
      aim: 1.2,
      entries: phpLike({ name: 'php', files: php, seed: 1, text }),
    },
    {
      name: 'node_modules',
      about: `node_modules, ${modules} files`,
      aim: 1.0,
      entries: nodeModulesLike({ name: 'node_modules', files: modules, seed: 2, text }),
    },
    {
      name: 'big-file',
      about: `one file of ${megabytes} MB`,
      aim: 0.8,
      entries: singleBigFile({ name: 'big-file', bytes: megabytes * 1_000_000, seed: 3, text }),
    },
  ];
}

async function make({ entries, ...recipe }: Recipe, dir: string, signal: AbortSignal): Promise<BenchPackage> {
  const filename = `${recipe.name}.tar.gz`;
  await writeTarGz(entries, join(dir, filename), signal);
  return { ...recipe, filename, compressedMib: (await stat(join(dir, filename))).size / 2 ** 20 };
}
