import { Random } from './random.ts';
import type { SourceText } from './source-text.ts';
import type { TarEntry } from './tar-entry.ts';

const MEAN_FILE_BYTES = 7_560;
const FILES_PER_MODULE = 40;

export interface NodeModulesLike {
  /** Of the archive's one top-level directory. */
  name: string;
  files: number;
  seed: number;
  text: SourceText;
}

/** A node_modules directory: many packages, some nested in others, commands as links in `.bin`. */
export function* nodeModulesLike({ name, files, seed, text }: NodeModulesLike): Generator<TarEntry> {
  const random = new Random(seed);
  yield { type: 'Directory', path: name };
  yield { type: 'Directory', path: `${name}/node_modules/.bin` };
  for (let module = 0; module * FILES_PER_MODULE < files; module += 1) {
    const nested = module % 7 === 6 ? `/node_modules/package-${module - 1}` : '';
    const path = `${name}/node_modules${nested}/${module % 5 === 0 ? '@scope/' : ''}package-${module}`;
    yield {
      type: 'SymbolicLink',
      path: `${name}/node_modules/.bin/command-${module}`,
      linkpath: `../package-${module}/lib/file-0.js`,
    };
    for (const folder of ['', '/lib', '/lib/internal', '/dist']) yield { type: 'Directory', path: path + folder };
    const here = Math.min(FILES_PER_MODULE, files - module * FILES_PER_MODULE);
    for (let file = 0; file < here; file += 1) {
      const folder = random.pick(['/lib', '/lib/internal', '/dist']);
      const content = text.piece(random.size(MEAN_FILE_BYTES));
      yield { type: 'File', path: `${path}${folder}/file-${file}.js`, mode: file === 0 ? 0o755 : 0o644, content };
    }
  }
}
