import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TreeLine, treeHeader } from '../releases/tree-file.ts';
import { TREE_FILE } from './unpack-order.ts';

const FLUSH_CHARACTERS = 64 * 1024;

/** Writes a tree file (see releases/tree-file.ts) while the tree grows, so that no list of files is kept in memory. */
export class TreeLog implements Disposable {
  readonly #fd: number;
  readonly #maxRootBytes: number;
  #position = 0;
  #buffered = '';
  /** Files that were written down and then replaced, each with how many of its lines no longer hold. */
  readonly #replaced = new Map<string, number>();

  /** Opened once and kept open: later the process may no longer be allowed to open files in `stagingDir`. */
  constructor(stagingDir: string, maxRootBytes: number) {
    this.#fd = openSync(join(stagingDir, TREE_FILE), 'wx+', 0o600);
    this.#maxRootBytes = maxRootBytes;
    this.#write(treeHeader('', maxRootBytes));
  }

  add(line: TreeLine): void {
    this.#buffered += `${JSON.stringify(line)}\n`;
    if (this.#buffered.length >= FLUSH_CHARACTERS) this.#flush();
  }

  /** The file at `path` is gone again. */
  dropFile(path: string): void {
    this.#replaced.set(path, (this.#replaced.get(path) ?? 0) + 1);
  }

  finish(root: string): void {
    this.#flush();
    if (this.#replaced.size > 0) this.#leaveOutReplaced();
    writeSync(this.#fd, treeHeader(root, this.#maxRootBytes), 0);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #flush(): void {
    this.#write(this.#buffered);
    this.#buffered = '';
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(this.#fd, bytes, written, bytes.length - written, this.#position + written);
    }
    this.#position += bytes.length;
  }

  #leaveOutReplaced(): void {
    const lines = readFileSync(this.#fd, 'utf8').split('\n').slice(1, -1);
    ftruncateSync(this.#fd, 0);
    this.#position = 0;
    this.#write(treeHeader('', this.#maxRootBytes));
    for (const text of lines) {
      const line = JSON.parse(text) as TreeLine;
      if (!this.#isReplaced(line)) this.add(line);
    }
    this.#flush();
  }

  #isReplaced([path, type]: TreeLine): boolean {
    const stale = type === 'f' ? (this.#replaced.get(path) ?? 0) : 0;
    if (stale > 0) this.#replaced.set(path, stale - 1);
    return stale > 0;
  }
}
