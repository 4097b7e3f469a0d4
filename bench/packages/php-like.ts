import { Random } from './random.ts';
import type { SourceText } from './source-text.ts';
import type { TarEntry } from './tar-entry.ts';

const MEAN_FILE_BYTES = 5_730;
const FILES_PER_DIRECTORY = 15;

export interface PhpLike {
  /** Of the archive's one top-level directory. */
  name: string;
  files: number;
  seed: number;
  text: SourceText;
}

/** A php application with its vendor directory: small source files, fifteen a directory. */
export function* phpLike({ name, files, seed, text }: PhpLike): Generator<TarEntry> {
  const random = new Random(seed);
  yield { type: 'Directory', path: name };
  for (let directory = 0; directory * FILES_PER_DIRECTORY < files; directory += 1) {
    const path = `${name}/vendor/acme${directory % 40}/module${directory}/src`;
    yield { type: 'Directory', path };
    const here = Math.min(FILES_PER_DIRECTORY, files - directory * FILES_PER_DIRECTORY);
    for (let file = 0; file < here; file += 1) {
      yield {
        type: 'File',
        path: `${path}/Class${file}.php`,
        mode: 0o644,
        content: text.piece(random.size(MEAN_FILE_BYTES)),
      };
    }
  }
}
