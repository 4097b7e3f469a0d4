import { corrupt } from './corrupt.ts';
import { type ExtendedFields, nameOf, readPaxRecords } from './pax-records.ts';
import { recognize } from './recognize.ts';
import { BLOCK_BYTES, TarBlock } from './tar-block.ts';
import { readEntry, readHeader, type TarEntry, type TarHeader } from './tar-header.ts';

/** What becomes of an archive's entries, in their order. */
export interface EntrySink {
  entry(entry: TarEntry): void;
  /** Bytes of the file that was announced last: only of files, and not for empty ones. Valid until the call returns. */
  body(bytes: Buffer): void;
  /** The file that was announced last is whole. Only for files. */
  bodyEnd(): void;
}

const MAX_EXTENDED_BYTES = 1024 * 1024;

/** What an extended header describes: by PAX records the next entry or all that follow, or one long name of the next, as GNU tar does. */
type Extended = 'next' | 'global' | 'path' | 'linkpath';

const EXTENDED: Readonly<Record<string, Extended>> = {
  x: 'next',
  X: 'next',
  g: 'global',
  L: 'path',
  N: 'path',
  K: 'linkpath',
};

/**
 * Reads a tar archive from chunks of any length and hands its entries to a sink, at once.
 *
 * Ours because the Parser of the tar package cannot tell: it forgets the header's size where a PAX header names another, takes
 * a negative size for 0, cuts UTF-8 in a long name where two chunks meet, drops a PAX record with a newline or NUL in it and
 * goes on with the short name.
 * @throws ARCHIVE_CORRUPT, ARCHIVE_ENTRY_REFUSED, and what the sink throws. Nothing may be written after that.
 */
export class TarReader {
  readonly #sink: EntrySink;
  readonly #block = new TarBlock();
  /** A header of which only a part has come. */
  readonly #part = Buffer.alloc(BLOCK_BYTES);
  #partBytes = 0;
  /** Bytes still to come of the body that is being read, then of its padding. */
  #bodyLeft = 0;
  #paddingLeft = 0;
  /** The extended header whose body is being read. */
  #extended: { kind: Extended; parts: Buffer[] } | undefined;
  /** What extended headers have said of the next entry. */
  #fields: ExtendedFields = {};
  #global: ExtendedFields = {};
  #lastPath = '';
  #began = false;
  #sawZeros = false;
  #ended = false;
  #entries = 0;

  constructor(sink: EntrySink) {
    this.#sink = sink;
  }

  /** True once the end-of-archive marker was read. What follows it is ignored, as GNU tar does. */
  get ended(): boolean {
    return this.#ended;
  }

  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#ended) {
      if (this.#bodyLeft > 0) at = this.#readBody(chunk, at);
      else if (this.#paddingLeft > 0) at = this.#skipPadding(chunk, at);
      else at = this.#readBlock(chunk, at);
    }
  }

  /** No more bytes will come. An archive may end without its marker, as GNU tar accepts, but not within an entry. */
  end(): void {
    if (!this.#began && this.#partBytes > 0) throw notTar(this.#part.subarray(0, this.#partBytes));
    const left = this.#bodyLeft + this.#paddingLeft + this.#partBytes;
    const isDescribed = Object.keys(this.#fields).length > 0;
    if (!this.#ended && (left > 0 || isDescribed)) throw corrupt(`cut short in or after ${this.#place}`);
    if (this.#entries === 0) throw corrupt('no entries');
  }

  get #place(): string {
    return this.#lastPath === '' ? 'its first header' : this.#lastPath;
  }

  #readBody(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#bodyLeft);
    this.#bodyLeft -= end - at;
    const bytes = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end);
    if (this.#extended === undefined) this.#sink.body(bytes);
    else this.#extended.parts.push(Buffer.from(bytes));
    if (this.#bodyLeft === 0) this.#finishBody();
    return end;
  }

  #skipPadding(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#paddingLeft);
    this.#paddingLeft -= end - at;
    return end;
  }

  #readBlock(chunk: Buffer, at: number): number {
    if (this.#partBytes === 0 && chunk.length - at >= BLOCK_BYTES) {
      this.#takeBlock(chunk, at);
      return at + BLOCK_BYTES;
    }
    const copied = chunk.copy(this.#part, this.#partBytes, at);
    this.#partBytes += copied;
    if (this.#partBytes === BLOCK_BYTES) {
      this.#partBytes = 0;
      this.#takeBlock(this.#part, 0);
    }
    return at + copied;
  }

  #takeBlock(chunk: Buffer, at: number): void {
    const header = this.#headerAt(chunk, at);
    this.#began = true;
    if (header === undefined) {
      // Two blocks of zeros are the marker; one alone is skipped.
      this.#ended = this.#sawZeros;
      this.#sawZeros = true;
      return;
    }
    this.#sawZeros = false;
    const extended = EXTENDED[header.typeFlag];
    if (extended === undefined) this.#startEntry(readEntry(header, this.#takeFields()));
    else this.#startExtended(extended, header.size);
  }

  #headerAt(chunk: Buffer, at: number): TarHeader | undefined {
    this.#block.take(chunk, at);
    try {
      return readHeader(this.#block);
    } catch (error) {
      if (!this.#began) throw notTar(chunk.subarray(at, at + BLOCK_BYTES), error);
      throw corrupt(`bad header after ${this.#place}`, error);
    }
  }

  #takeFields(): ExtendedFields {
    const fields = { ...this.#global, ...this.#fields };
    this.#fields = {};
    return fields;
  }

  #startEntry(entry: TarEntry): void {
    this.#entries++;
    this.#lastPath = entry.path;
    this.#sink.entry(entry);
    this.#startBody(entry.size);
    if (entry.type === 'file' && entry.size === 0) this.#sink.bodyEnd();
  }

  #startExtended(kind: Extended, size: number | undefined): void {
    if (size === undefined) throw corrupt('an extended header whose size is negative or not a number');
    if (size > MAX_EXTENDED_BYTES) throw corrupt(`an extended header of ${size} bytes`);
    this.#extended = { kind, parts: [] };
    this.#startBody(size);
    if (size === 0) this.#finishBody();
  }

  #startBody(size: number): void {
    this.#bodyLeft = size;
    this.#paddingLeft = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
  }

  #finishBody(): void {
    if (this.#extended === undefined) {
      this.#sink.bodyEnd();
      return;
    }
    const { kind, parts } = this.#extended;
    this.#extended = undefined;
    this.#applyExtended(kind, parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts));
  }

  #applyExtended(kind: Extended, body: Buffer): void {
    switch (kind) {
      case 'path':
      case 'linkpath':
        this.#fields[kind] = nameOf(withoutNul(body));
        break;
      case 'global':
        this.#applyGlobal(readPaxRecords(body));
        break;
      case 'next':
        Object.assign(this.#fields, readPaxRecords(body));
    }
  }

  #applyGlobal(fields: ExtendedFields): void {
    const { path, linkpath, size } = fields;
    if (path !== undefined || linkpath !== undefined || size !== undefined) {
      throw corrupt('a global header that names or sizes every entry');
    }
    Object.assign(this.#global, fields);
  }
}

/** The first header is none: says what the bytes are instead. */
function notTar(head: Buffer, error?: unknown): unknown {
  if (recognize(head) === 'gzip') return corrupt('compressed twice');
  return error ?? corrupt('cut short in its first header');
}

/** GNU's long names end in a NUL that is part of the body. */
function withoutNul(body: Buffer): Buffer {
  const end = body.indexOf(0);
  return end === -1 ? body : body.subarray(0, end);
}
