import { join } from 'node:path';
import { phpLike } from './php-like.ts';
import { SourceText } from './source-text.ts';
import { writeTarGz } from './write-tar-gz.ts';

/** With the sizes that php-like files have, some 200 KB compressed. */
const FILES = 135;

/** Makes `count` releases in `dir`, no two with the same content; resolves with their names, less the ending. */
export async function makeSmallReleases(dir: string, count: number, signal: AbortSignal): Promise<string[]> {
  const text = new SourceText(4, 2 * 1024 * 1024);
  const names = Array.from({ length: count }, (_, index) => `small-${index + 1}`);
  for (const [index, name] of names.entries()) {
    await writeTarGz(phpLike({ name, files: FILES, seed: 100 + index, text }), join(dir, `${name}.tar.gz`), signal);
  }
  return names;
}
