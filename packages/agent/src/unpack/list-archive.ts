import { createReadStream } from 'node:fs';
import { corrupt } from './corrupt.ts';
import { decode, peek } from './decode.ts';
import { entryPath, hardLinkTarget, parentOf } from './entry-path.ts';
import { Meter } from './meter.ts';
import { RECOGNIZE_BYTES } from './recognize.ts';
import { refuseEntry } from './refuse-entry.ts';
import type { TarEntry } from './tar-header.ts';
import { type EntrySink, TarReader } from './tar-reader.ts';
import type { UnpackLimits } from './unpack-order.ts';

/** What an archive puts at a path. `size` counts for files, `target` for symlinks. */
export type ListedEntry = { type: 'file'; size: number } | { type: 'directory' } | { type: 'symlink'; target: string };

/**
 * What the archive at `path` would put into the release `version`, by paths below it, read to its last byte; nothing is
 * written. The rules are those of unpacking: a lone top-level directory named like the release is it, the last of a path wins.
 * @throws ARCHIVE_CORRUPT also where the archive does not say itself that it is all there; ARCHIVE_ENTRY_REFUSED,
 * ARCHIVE_LIMIT, the system's error where it cannot be read, and the reason of `signal`.
 */
export async function listArchive(
  path: string,
  { version, limits }: { version: string; limits: UnpackLimits },
  signal: AbortSignal,
): Promise<Map<string, ListedEntry>> {
  const meter = new Meter(limits);
  const list = new EntryList(meter, limits);
  const reader = new TarReader(list);
  const bytes = createReadStream(path, { highWaterMark: 256 * 1024 });
  try {
    const input = await peek(bytes as AsyncIterable<Buffer>, RECOGNIZE_BYTES);
    if (input.head.length === 0) throw corrupt('the file is empty');
    const { gzip } = await decode(input, (piece, compressed) => {
      signal.throwIfAborted();
      meter.addBytes(piece.length, compressed);
      reader.write(piece);
    });
    reader.end();
    if (!gzip && !reader.ended) throw corrupt('its end is missing');
  } finally {
    bytes.destroy();
  }
  return belowRelease(list.entries, version);
}

/** Remembers what each path ends up as; bodies are of no interest. */
class EntryList implements EntrySink {
  readonly entries = new Map<string, ListedEntry>();
  readonly #meter: Meter;
  readonly #limits: UnpackLimits;

  constructor(meter: Meter, limits: UnpackLimits) {
    this.#meter = meter;
    this.#limits = limits;
  }

  entry(entry: TarEntry): void {
    const path = entryPath(entry.path, this.#limits);
    if (path === '' && entry.type !== 'directory') throw refuseEntry(entry.path, 'path_invalid', 'no name');
    this.#meter.addEntry(entry.path);
    this.#enter(parentOf(path));
    if (path !== '') this.entries.set(path, this.#listed(entry));
  }

  body(): void {
    // What is in a file is not looked at.
  }

  bodyEnd(): void {
    // The file was listed when it was announced.
  }

  #enter(path: string): void {
    if (path === '' || this.entries.get(path)?.type === 'directory') return;
    this.#enter(parentOf(path));
    this.entries.set(path, { type: 'directory' });
  }

  #listed({ type, path, size, linkpath }: TarEntry): ListedEntry {
    if (type === 'directory') return { type };
    if (type === 'file') return { type, size };
    if (type === 'symlink') return { type, target: linkpath };
    const target = this.entries.get(hardLinkTarget(path, linkpath));
    if (!target) throw corrupt(`hard link ${path} names ${linkpath}, which does not come before it`);
    return target;
  }
}

function belowRelease(entries: Map<string, ListedEntry>, version: string): Map<string, ListedEntry> {
  const isAlone =
    entries.get(version)?.type === 'directory' &&
    [...entries.keys()].every((path) => path === version || path.startsWith(`${version}/`));
  if (!isAlone) return entries;
  entries.delete(version);
  return new Map([...entries].map(([path, entry]) => [path.slice(version.length + 1), entry]));
}
