import { DeployError } from '@sampan/shared/errors.ts';
import { Interruption, PASSING_STATUS, viaOf } from './interruption.ts';
import type { OpenedUrl } from './open-url.ts';
import { parseRetryAfter } from './retry-pause.ts';

/** What an answer says of the file that it carries. */
export interface FileFacts {
  /** Bytes of the whole file; undefined where the origin does not say. */
  totalBytes: number | undefined;
  /** Only a strong one: the same means the same bytes. */
  etag: string | undefined;
  /** Of the whole file, lower-case hex. */
  md5: string | undefined;
}

/**
 * Reads what a 200 says of its file.
 * @throws Interruption or DOWNLOAD_HTTP_STATUS for any other status, DOWNLOAD_CONNECTION for a body that is encoded.
 */
export function factsOf(opened: OpenedUrl): FileFacts {
  if (opened.status !== 200) throw statusError(opened);
  assertPlain(opened);
  const length = opened.header('content-length');
  return {
    totalBytes: length === undefined ? undefined : Number(length),
    etag: strongEtag(opened),
    md5: md5Of(opened.header('content-md5')),
  };
}

/** Whether an answer goes on where `bytes` ended, with the same file: all three of status, range and ETag say so. */
export function continues(opened: OpenedUrl, { bytes, facts }: { bytes: number; facts: FileFacts }): boolean {
  const { totalBytes, etag } = facts;
  if (opened.status !== 206 || etag === undefined || totalBytes === undefined) return false;
  return (
    strongEtag(opened) === etag && opened.header('content-range') === `bytes ${bytes}-${totalBytes - 1}/${totalBytes}`
  );
}

/** What a part or a refusal means that does not fit what was begun: the file is another now, and all starts again. */
export function changedError(opened: OpenedUrl, { etag }: FileFacts): Interruption | undefined {
  if (opened.status !== 206 && opened.status !== 416) return undefined;
  const found = opened.header('etag') ?? 'none';
  return new Interruption(new DeployError('DOWNLOAD_CHANGED', { found, expected: etag ?? 'none' }));
}

/** A status that is of no use to us. */
function statusError(opened: OpenedUrl): DeployError | Interruption {
  const failure = new DeployError('DOWNLOAD_HTTP_STATUS', { status: opened.status, ...viaOf(opened.source) });
  if (!PASSING_STATUS.has(opened.status)) return failure;
  return new Interruption(failure, parseRetryAfter(opened.header('retry-after')));
}

function strongEtag(opened: OpenedUrl): string | undefined {
  const etag = opened.header('etag');
  return etag !== undefined && isStrong(etag) ? etag : undefined;
}

/** Whether an ETag stands for the same bytes, not only for the same meaning (RFC 9110, 8.8.1). */
export function isStrong(etag: string): boolean {
  return /^"[^"]*"$/.test(etag);
}

/**
 * Many servers label a .tar.gz as `Content-Encoding: gzip`, and send it as it is: fine, its bytes tell what it is. Anything
 * else would have to be decoded to be what was asked for, and its checksum would be of something else.
 */
function assertPlain({ header, source }: OpenedUrl): void {
  const encoding = (header('content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity' || encoding === 'gzip' || encoding === 'x-gzip') return;
  throw new DeployError('DOWNLOAD_CONNECTION', {
    ...source,
    reason: `Content-Encoding ${encoding}, expected identity`,
  });
}

function md5Of(base64: string | undefined): string | undefined {
  const bytes = Buffer.from(base64 ?? '', 'base64');
  return bytes.length === 16 ? bytes.toString('hex') : undefined;
}
