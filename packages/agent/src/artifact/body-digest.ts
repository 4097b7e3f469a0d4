import { createHash } from 'node:crypto';
import { DeployError } from '@sampan/shared/errors.ts';

/** Checksums of a body as it comes. */
export class BodyDigest {
  readonly #sha256 = createHash('sha256');
  readonly #md5 = createHash('md5');
  readonly #withMd5: boolean;

  /** MD5 costs as much as all the rest: only where it will be asked for. */
  constructor({ withMd5 }: { withMd5: boolean }) {
    this.#withMd5 = withMd5;
  }

  update(bytes: Buffer): void {
    this.#sha256.update(bytes);
    if (this.#withMd5) this.#md5.update(bytes);
  }

  /**
   * Compares what came with what was expected: the caller's SHA-256, or else the origin's MD5. Ends the digest.
   * @returns the SHA-256. @throws CHECKSUM_MISMATCH
   */
  verify({ sha256, md5 }: { sha256: string | undefined; md5: string | undefined }): string {
    const found = this.#sha256.digest('hex');
    if (sha256 !== undefined) compare('sha256', found, sha256);
    else if (this.#withMd5 && md5 !== undefined) compare('md5', this.#md5.digest('hex'), md5);
    return found;
  }
}

function compare(algorithm: 'sha256' | 'md5', found: string, expected: string): void {
  if (found !== expected) throw new DeployError('CHECKSUM_MISMATCH', { algorithm, found, expected });
}
