import type { Header } from 'tar/header';
import { corrupt } from './corrupt.ts';
import { type ExtendedFields, nameOf, readPaxRecords } from './pax-records.ts';
import { recognize } from './recognize.ts';
import { BLOCK_BYTES, readEntry, readHeader, type TarEntry } from './tar-header.ts';

/** What becomes of an archive's entries, in their order. */
export interface EntrySink {
  entry(entry: TarEntry): void;
  /** Bytes of the file that was announced last: only of files, and not for empty ones. Valid until the call returns. */
  body(bytes: Buffer): void;
  /** The file that was announced last is whole. Only for files. */
  bodyEnd(): void;
}

const MAX_EXTENDED_BYTES = 1024 * 1024;

/**
 * Reads a tar archive from chunks of any length and hands its entries to a sink, at once.
 *
 * Headers are decoded by the tar package. The loop around them is ours because its Parser cannot tell: it forgets
 * the header's size where a PAX header names another, takes a negative size for 0, cuts UTF-8 in a long name where two
 * chunks meet, drops a PAX record with a newline or NUL in it and goes on with the short name.
 * @throws ARCHIVE_CORRUPT, ARCHIVE_ENTRY_REFUSED, and what the sink throws. Nothing may be written after that.
 */
export class TarReader {
  readonly #sink: EntrySink;
  /** A header of which only a part has come. */
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #blockBytes = 0;
  /** Bytes still to come of the body that is being read, then of its padding. */
  #bodyLeft = 0;
  #paddingLeft = 0;
  /** The extended header whose body is being read. */
  #extended: { type: Header['type']; parts: Buffer[] } | undefined;
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
    if (!this.#began && this.#blockBytes > 0) throw notTar(this.#block.subarray(0, this.#blockBytes));
    const left = this.#bodyLeft + this.#paddingLeft + this.#blockBytes;
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
    if (this.#blockBytes === 0 && chunk.length - at >= BLOCK_BYTES) {
      this.#takeBlock(chunk, at);
      return at + BLOCK_BYTES;
    }
    const copied = chunk.copy(this.#block, this.#blockBytes, at);
    this.#blockBytes += copied;
    if (this.#blockBytes === BLOCK_BYTES) {
      this.#blockBytes = 0;
      this.#takeBlock(this.#block, 0);
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
    if (isExtended(header.type)) this.#startExtended(header);
    else this.#startEntry(readEntry(header, chunk.subarray(at, at + BLOCK_BYTES), this.#takeFields()));
  }

  #headerAt(chunk: Buffer, at: number): Header | undefined {
    try {
      return readHeader(chunk, at, this.#fields.path);
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

  #startExtended({ type, size = 0 }: Header): void {
    if (size > MAX_EXTENDED_BYTES) throw corrupt(`an extended header of ${size} bytes`);
    this.#extended = { type, parts: [] };
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
    const { type, parts } = this.#extended;
    this.#extended = undefined;
    this.#applyExtended(type, parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts));
  }

  #applyExtended(type: Header['type'], body: Buffer): void {
    switch (type) {
      case 'NextFileHasLongPath':
      case 'OldGnuLongPath':
        this.#fields.path = nameOf(withoutNul(body));
        break;
      case 'NextFileHasLongLinkpath':
        this.#fields.linkpath = nameOf(withoutNul(body));
        break;
      case 'GlobalExtendedHeader':
        this.#applyGlobal(readPaxRecords(body));
        break;
      default:
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

function isExtended(type: Header['type']): boolean {
  switch (type) {
    case 'ExtendedHeader':
    case 'OldExtendedHeader':
    case 'GlobalExtendedHeader':
    case 'NextFileHasLongPath':
    case 'OldGnuLongPath':
    case 'NextFileHasLongLinkpath':
      return true;
    default:
      return false;
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
