import { isUtf8 } from 'node:buffer';
import { corrupt } from './corrupt.ts';
import { refuseEntry } from './refuse-entry.ts';

/** What an extended header says of the next entry, as far as it matters here. */
export interface ExtendedFields {
  path?: string | undefined;
  linkpath?: string | undefined;
  size?: number | undefined;
  mtimeMs?: number | undefined;
  sparse?: boolean | undefined;
}

/**
 * Reads the body of a PAX extended header: records `LENGTH KEY=VALUE\n`, with LENGTH counting the whole record.
 * @throws ARCHIVE_CORRUPT for a record that breaks this form, ARCHIVE_ENTRY_REFUSED for a NUL or foreign bytes in a name.
 */
export function readPaxRecords(body: Buffer): ExtendedFields {
  const fields: ExtendedFields = {};
  for (let at = 0; at < body.length; ) {
    const record = recordAt(body, at);
    apply(fields, record);
    at += record.length;
  }
  return fields;
}

interface PaxRecord {
  length: number;
  key: string;
  value: Buffer;
}

function recordAt(body: Buffer, at: number): PaxRecord {
  const space = body.indexOf(0x20, at);
  const digits = space === -1 ? '' : body.toString('latin1', at, Math.min(space, at + 10));
  const length = /^\d+$/.test(digits) ? Number(digits) : 0;
  const end = at + length;
  const equals = body.indexOf(0x3d, space);
  if (end <= space || end > body.length || body[end - 1] !== 0x0a || equals === -1 || equals >= end) {
    throw corrupt(`bad PAX record at byte ${at} of an extended header`);
  }
  return { length, key: body.toString('utf8', space + 1, equals), value: body.subarray(equals + 1, end - 1) };
}

function apply(fields: ExtendedFields, { key, value }: PaxRecord): void {
  switch (key) {
    case 'path':
    case 'linkpath':
      // An empty value takes back what an earlier header said.
      fields[key] = value.length === 0 ? undefined : nameOf(value);
      break;
    case 'size':
      fields.size = sizeOf(value.toString('latin1'));
      break;
    case 'mtime':
      fields.mtimeMs = Math.floor(Number(value.toString('latin1')) * 1000);
      break;
    default:
      if (key.startsWith('GNU.sparse.')) fields.sparse = true;
  }
}

/** A name from the archive. Bytes that are not UTF-8 could neither be shown nor be found again by the tools that we use. */
export function nameOf(bytes: Buffer): string {
  const name = bytes.toString('utf8');
  if (name.includes('\0')) throw refuseEntry(name.replaceAll('\0', '\\0'), 'path_invalid', 'NUL');
  if (name.includes('\ufffd') && !isUtf8(bytes)) throw refuseEntry(name, 'path_invalid', 'not UTF-8');
  return name;
}

function sizeOf(text: string): number {
  const size = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(size)) throw corrupt(`bad PAX size ${JSON.stringify(text)}`);
  return size;
}
