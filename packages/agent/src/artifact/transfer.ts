import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { artifactKind } from '@sampan/shared/names.ts';
import { ChunkGarbage } from '../host/chunk-garbage.ts';
import { diskError } from '../host/disk-error.ts';
import { assertSpace } from '../host/disk-space.ts';
import { startTimeOf } from '../host/kill-process.ts';
import { removeTree } from '../host/remove-tree.ts';
import { corrupt } from '../unpack/corrupt.ts';
import { CONTENT_DIR, TREE_FILE, type UnpackOrder } from '../unpack/unpack-order.ts';
import type { ArtifactRequest, ArtifactSettings, FetchedArtifact } from './artifact-request.ts';
import { BodyDigest } from './body-digest.ts';
import type { FileFacts } from './check-response.ts';
import { connectionError, Interruption, type Source, viaOf } from './interruption.ts';
import type { OpenedUrl } from './open-url.ts';
import { SmallUnpacker } from './small-unpacker.ts';
import { UnpackProcess } from './unpack-process.ts';
import type { Unpacker } from './unpacker.ts';

const PROGRESS_EVERY_MS = 100;
const UNKNOWN: FileFacts = { totalBytes: undefined, etag: undefined, md5: undefined };

/**
 * The bytes of one file on their way into one staging directory, through one unpacker, over one connection or,
 * where the file is surely the same, over several. Whoever starts it either gets its result or discards it.
 */
export class Transfer {
  readonly #request: ArtifactRequest;
  readonly #settings: ArtifactSettings;
  readonly #stagingDir: string;
  readonly #unpacker: Unpacker;
  #digest: BodyDigest | undefined;
  readonly #garbage = new ChunkGarbage();
  #facts = UNKNOWN;
  #bytes = 0;
  /** How the unpacker has ended. */
  #unpackerEnded: { failure: unknown } | undefined;
  readonly #unpackerEnd: Promise<void>;
  #gotAll = false;
  #reportedAt = 0;

  /**
   * Makes a staging directory that was never used, and an unpacker that waits for the first bytes: a process, unless the
   * artifact is known to have only `smallBytes`.
   */
  static async start(
    request: ArtifactRequest,
    settings: ArtifactSettings,
    smallBytes: number | undefined,
  ): Promise<Transfer> {
    const stagingDir = join(request.stagingRoot, randomUUID());
    // Its owner's processes have to get through it, and hooks too; nobody needs to list it.
    await mkdir(stagingDir, { mode: 0o711 }).catch((cause) => {
      throw diskError(cause, { path: stagingDir, operation: 'mkdir' });
    });
    try {
      const order = orderFor(stagingDir, request, settings);
      const startProcess = () => startUnpackProcess(order, request);
      const { thread } = settings;
      const unpacker =
        thread && smallBytes !== undefined
          ? new SmallUnpacker(order, { thread, totalBytes: smallBytes, startProcess })
          : await startProcess();
      return new Transfer({ request, settings, stagingDir, unpacker });
    } catch (error) {
      await removeTree(stagingDir);
      throw error;
    }
  }

  private constructor(parts: {
    request: ArtifactRequest;
    settings: ArtifactSettings;
    stagingDir: string;
    unpacker: Unpacker;
  }) {
    this.#request = parts.request;
    this.#settings = parts.settings;
    this.#stagingDir = parts.stagingDir;
    this.#unpacker = parts.unpacker;
    const note = (failure: unknown) => {
      this.#unpackerEnded = { failure };
    };
    this.#unpackerEnd = parts.unpacker.outcome().then(() => note(undefined), note);
  }

  /** What has come so far, of which file. */
  get progress(): { bytes: number; facts: FileFacts } {
    return { bytes: this.#bytes, facts: this.#facts };
  }

  /** Whether bytes of a file have gone into it: then it is good for no other file. */
  get hasBegun(): boolean {
    return this.#bytes > 0;
  }

  /** Whether the rest may come over another connection: the file can be named, and its process lives. */
  get canGoOn(): boolean {
    const { etag, totalBytes } = this.#facts;
    return !this.hasBegun || (etag !== undefined && totalBytes !== undefined && !this.#unpackerEnded);
  }

  /** Asks for the rest, and only of this very file. */
  get rangeHeaders(): Record<string, string> {
    return { range: `bytes=${this.#bytes}-`, 'if-range': this.#facts.etag ?? '' };
  }

  /** Takes note of the file whose bytes will come. @throws DOWNLOAD_LIMIT, DISK_FULL, INODES_EXHAUSTED */
  async begin(facts: FileFacts): Promise<void> {
    this.#facts = facts;
    this.#digest = new BodyDigest({ withMd5: facts.md5 !== undefined && this.#request.sha256 === undefined });
    this.#assertWithinLimit(facts.totalBytes ?? 0);
    await assertSpace(this.#request.stagingRoot, facts.totalBytes ?? 0);
  }

  /** Passes the bytes of an answer on. @throws Interruption where they break off; then `receive` may be called again. */
  async receive({ body, source }: OpenedUrl): Promise<void> {
    void this.#unpackerEnd.then(() => {
      if (!this.#isChecksumInDoubt()) body.stop();
    });
    try {
      for await (const chunk of body) {
        this.#count(chunk);
        if (this.#unpackerEnded === undefined && !(await this.#unpacker.write(chunk))) await this.#unpackerEnd;
      }
      this.#gotAll = this.#unpackerEnded === undefined || this.#isChecksumInDoubt();
    } catch (error) {
      if (this.#unpackerEnded === undefined) throw this.#interruption(error, source);
    }
  }

  /** Checks that all came as it should, and waits until all of it stands. */
  async finish(): Promise<FetchedArtifact> {
    const { totalBytes, md5, etag } = this.#facts;
    const { sha256: expected } = this.#request;
    let sha256 = '';
    if (this.#gotAll) {
      this.#assertLength();
      sha256 = this.#digest?.verify({ sha256: expected, md5 }) ?? '';
    }
    const { entries, root, complete } = await this.#unpacker.finish();
    if (!complete && (totalBytes ?? expected ?? md5) === undefined) {
      throw corrupt('no end mark in it, and the origin did not say its length');
    }
    this.#request.onProgress({ bytes: this.#bytes, totalBytes: totalBytes ?? this.#bytes, entries });
    const contentDir = join(this.#stagingDir, CONTENT_DIR);
    return {
      kind: 'unpacked',
      stagingDir: this.#stagingDir,
      contentDir,
      root: join(contentDir, root),
      treeFile: join(this.#stagingDir, TREE_FILE),
      sha256,
      bytes: this.#bytes,
      entries,
      etag,
    };
  }

  /** Ends its unpacker, whatever that does; resolves when it is gone. */
  async stop(): Promise<void> {
    await this.#unpacker.kill();
  }

  /** Ends its unpacker and removes all that it wrote. */
  async discard(): Promise<void> {
    await this.stop();
    await removeTree(this.#stagingDir);
  }

  #count(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#assertWithinLimit(this.#bytes);
    this.#digest?.update(chunk);
    this.#garbage.passed(chunk.length);
    const now = performance.now();
    if (now - this.#reportedAt < PROGRESS_EVERY_MS) return;
    this.#reportedAt = now;
    const { entries } = this.#unpacker;
    this.#request.onProgress({ bytes: this.#bytes, totalBytes: this.#facts.totalBytes ?? 0, entries });
  }

  #assertWithinLimit(bytes: number): void {
    const { max_bytes: max } = this.#settings.download;
    if (bytes > max) throw new DeployError('DOWNLOAD_LIMIT', { max });
  }

  #assertLength(): void {
    const { totalBytes: expected } = this.#facts;
    if (expected === undefined || expected === this.#bytes) return;
    throw new Interruption(new DeployError('DOWNLOAD_TRUNCATED', { found: this.#bytes, expected }));
  }

  /** An archive that is broken may be so because it is not what was meant: then that is what the caller has to know. */
  #isChecksumInDoubt(): boolean {
    const isChecked = this.#request.sha256 !== undefined || this.#facts.md5 !== undefined;
    const failure = this.#unpackerEnded?.failure;
    return failure === undefined || (isChecked && DeployError.is(failure, 'ARCHIVE_CORRUPT'));
  }

  #interruption(error: unknown, source: Source): unknown {
    if (systemCode(error) === 'BODY_TIMEOUT') {
      const seconds = this.#settings.download.idle_timeout / 1000;
      const params = { seconds, bytes: this.#bytes, ...viaOf(source) };
      return new Interruption(new DeployError('DOWNLOAD_TIMEOUT', params, { cause: error }));
    }
    const known = connectionError(error, source);
    const { totalBytes: expected } = this.#facts;
    if (!(known instanceof Interruption) || expected === undefined) return known;
    const params = { found: this.#bytes, expected, ...viaOf(source) };
    return new Interruption(new DeployError('DOWNLOAD_TRUNCATED', params, { cause: error }));
  }
}

/** Starts a process that writes nothing before the caller's journal knows of it. */
async function startUnpackProcess(order: UnpackOrder, request: ArtifactRequest): Promise<UnpackProcess> {
  const process = await UnpackProcess.start(order);
  try {
    const pidStartTime = (await startTimeOf(process.pid)) ?? '';
    await request.onProcess({ stagingDir: order.stagingDir, pid: process.pid, pidStartTime });
    return process;
  } catch (error) {
    await process.kill();
    throw error;
  }
}

function orderFor(stagingDir: string, request: ArtifactRequest, settings: ArtifactSettings): UnpackOrder {
  const { filename, owner, allowLinksTo } = request;
  const kind = artifactKind(filename);
  if (kind === undefined) throw new Error(`${filename} is not the name of an artifact`);
  return { stagingDir, filename, kind, owner: owner ?? null, allowLinksTo, limits: settings.unpack };
}
