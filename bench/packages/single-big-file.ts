import { createCipheriv } from 'node:crypto';
import type { SourceText } from './source-text.ts';
import type { TarEntry } from './tar-entry.ts';

const BLOCK_BYTES = 1024 * 1024;
/** Of each block. A jar holds compressed classes; its directory, names and stored resources are the part that still compresses. */
const TEXT_BYTES = 64 * 1024;

export interface SingleBigFile {
  name: string;
  bytes: number;
  seed: number;
  text: SourceText;
}

/** One file that is like a fat jar: nearly all of it compressed already. */
export function* singleBigFile({ name, bytes, seed, text }: SingleBigFile): Generator<TarEntry> {
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  const zeros = Buffer.alloc(BLOCK_BYTES - TEXT_BYTES);
  const content = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += BLOCK_BYTES) {
    text.piece(TEXT_BYTES).copy(content, at);
    if (at + TEXT_BYTES < bytes) noise.update(zeros).copy(content, at + TEXT_BYTES);
  }
  yield { type: 'Directory', path: name };
  yield { type: 'File', path: `${name}/app.jar`, mode: 0o644, content };
}
