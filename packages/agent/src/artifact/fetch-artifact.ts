import { setTimeout as delay } from 'node:timers/promises';
import { DeployError } from '@sampan/shared/errors.ts';
import type { ArtifactRequest, ArtifactSettings, FetchedArtifact } from './artifact-request.ts';
import { changedError, continues, factsOf, isStrong } from './check-response.ts';
import { Connections } from './connections.ts';
import { Interruption } from './interruption.ts';
import { type OpenedUrl, openUrl } from './open-url.ts';
import { retryPause } from './retry-pause.ts';
import { SMALL_BYTES } from './small-unpacker.ts';
import { Transfer } from './transfer.ts';

export type { ArtifactRequest, ArtifactSettings, FetchedArtifact };

/**
 * Brings an artifact into a staging directory of its own: downloaded, checked and unpacked in one pass.
 *
 * Connections that break are tried again, `download.attempts` times in all. They go on where they broke only with the
 * same strong ETag; otherwise all starts again in a new directory. When it rejects, its process has ended, if it had
 * one, and nothing of it is left in staging.
 * @throws DeployError with a code of the download, archive or disk groups; what `signal` was aborted with.
 */
export async function fetchArtifact(
  request: ArtifactRequest,
  settings: ArtifactSettings,
  signal: AbortSignal,
): Promise<FetchedArtifact> {
  signal.throwIfAborted();
  const fetch = new Fetch(request, settings, signal);
  try {
    return await fetch.run();
  } finally {
    await fetch.close();
  }
}

/** INVARIANT: whatever was started and has not been handed to the caller is in `#transfer`, and `close` ends it. */
class Fetch {
  readonly #request: ArtifactRequest;
  readonly #settings: ArtifactSettings;
  readonly #connections: Connections;
  readonly #callerSignal: AbortSignal;
  readonly #deadline = new AbortController();
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  #transfer: Transfer | undefined;

  constructor(request: ArtifactRequest, settings: ArtifactSettings, signal: AbortSignal) {
    this.#request = request;
    this.#settings = settings;
    this.#connections = new Connections(settings.download.proxy);
    this.#callerSignal = signal;
    this.#timer = setTimeout(() => this.#deadline.abort(), settings.download.timeout);
    this.#signal = AbortSignal.any([signal, this.#deadline.signal]);
    this.#signal.addEventListener('abort', this.#onAbort);
  }

  async run(): Promise<FetchedArtifact> {
    try {
      return await this.#tryUntilDone();
    } catch (error) {
      this.#callerSignal.throwIfAborted();
      if (!this.#deadline.signal.aborted) throw error;
      const seconds = this.#settings.download.timeout / 1000;
      const bytes = this.#transfer?.progress.bytes ?? 0;
      throw new DeployError('DOWNLOAD_TIMEOUT', { seconds, bytes, ...this.#connections.via }, { cause: error });
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#connections.destroy();
    await this.#discard();
  }

  /** A process that takes no bytes, because the disk takes none, would hold us up for ever. */
  readonly #onAbort = () => void this.#transfer?.stop();

  async #tryUntilDone(): Promise<FetchedArtifact> {
    const { attempts } = this.#settings.download;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#try();
      } catch (error) {
        if (!(error instanceof Interruption)) throw error;
        if (attempt >= attempts) throw error.failure;
        if (!this.#transfer?.canGoOn) await this.#discard();
        await delay(retryPause(attempt, error.retryAfterMs), undefined, { signal: this.#signal });
      }
    }
  }

  async #try(): Promise<FetchedArtifact> {
    const opened = await this.#openAndPrepare();
    if (opened.status === 304 && this.#conditions['if-none-match'] !== undefined) {
      opened.body.stop();
      return { kind: 'not_modified' };
    }
    const transfer = await this.#transferFor(opened);
    await transfer.receive(opened);
    const fetched = await transfer.finish();
    this.#signal.throwIfAborted();
    this.#transfer = undefined;
    return fetched;
  }

  /** Asks for the file and meanwhile starts what is to unpack it, unless the answer may well be that nothing has changed. */
  async #openAndPrepare(): Promise<OpenedUrl> {
    const headers = this.#conditions;
    const settings = { download: this.#settings.download, connections: this.#connections };
    const opening = openUrl({ url: this.#request.url, headers }, settings, this.#signal);
    const isNeeded = headers['if-none-match'] === undefined;
    if (isNeeded && this.#expectsSmall) this.#settings.thread?.prepare();
    const starting = isNeeded && !this.#expectsSmall ? this.#startTransfer(undefined) : undefined;
    const [opened, started] = await Promise.allSettled([opening, starting]);
    if (started.status === 'rejected') throw started.reason;
    if (opened.status === 'rejected') throw opened.reason;
    return opened.value;
  }

  /** Nobody knows how big the first of its kind is; then time is what counts. */
  get #expectsSmall(): boolean {
    return this.#settings.thread !== undefined && (this.#request.expectedBytes ?? Infinity) <= SMALL_BYTES;
  }

  get #conditions(): Record<string, string> {
    if (this.#transfer?.hasBegun) return this.#transfer.rangeHeaders;
    const { ifNoneMatch } = this.#request;
    return ifNoneMatch !== undefined && isStrong(ifNoneMatch) ? { 'if-none-match': ifNoneMatch } : {};
  }

  /** The transfer that an answer's bytes belong to: the one that broke off where they go on with it, else a new one. */
  async #transferFor(opened: OpenedUrl): Promise<Transfer> {
    try {
      if (this.#transfer?.hasBegun) {
        if (continues(opened, this.#transfer.progress)) return this.#transfer;
        const changed = changedError(opened, this.#transfer.progress.facts);
        if (changed || opened.status === 200) await this.#discard();
        if (changed) throw changed;
      }
      const facts = factsOf(opened);
      const isSmall = this.#expectsSmall && (facts.totalBytes ?? Infinity) <= SMALL_BYTES;
      const transfer = await this.#startTransfer(isSmall ? facts.totalBytes : undefined);
      await transfer.begin(facts);
      return transfer;
    } catch (error) {
      opened.body.stop();
      throw error;
    }
  }

  /** Does nothing where there is one. `smallBytes`: how big the artifact is, where it is small. */
  async #startTransfer(smallBytes: number | undefined): Promise<Transfer> {
    this.#transfer ??= await Transfer.start(this.#request, this.#settings, smallBytes);
    return this.#transfer;
  }

  async #discard(): Promise<void> {
    const transfer = this.#transfer;
    this.#transfer = undefined;
    await transfer?.discard();
  }
}
