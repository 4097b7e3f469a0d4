import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ArtifactRequest,
  type ArtifactSettings,
  type FetchedArtifact,
  fetchArtifact,
} from '@sampan/agent/artifact/fetch-artifact.ts';
import { UnpackThread } from '@sampan/agent/artifact/unpack-thread.ts';
import { agentConfigSchema } from '@sampan/agent/config.ts';
import { startTimeOf } from '@sampan/agent/host/kill-process.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import { expect } from 'vitest';
import { tempDir } from './temp-dir.ts';

/** One for all: each would go on for minutes. */
const thread = new UnpackThread();

type Settings = { download?: Record<string, unknown>; unpack?: Record<string, unknown> };
export type Staging = { stagingDir: string; pid: number; pidStartTime: string };
export type Unpacked = Extract<FetchedArtifact, { kind: 'unpacked' }>;

/** Where an artifact is unpacked follows from what is expected of its size: for `describe.each`. */
export const UNPACKED_BY = [
  ['a process of its own', undefined],
  ["a thread of the agent's", 1],
] as const;

/** A base to fetch artifacts into, with a secret beside it that no archive may reach. Removed when the test has finished. */
export class StagingGround {
  readonly root = tempDir();
  readonly stagingRoot = join(this.root, 'base/.deploy/.staging');
  readonly secret = join(this.root, 'outside/secret');
  /** Each process that was announced, with its staging directory. */
  readonly staged: Staging[] = [];
  readonly progress: { bytes: number; totalBytes: number; entries: number }[] = [];

  readonly #announced = Promise.withResolvers<Staging>();
  readonly #expectedBytes: number | undefined;

  /** `expectedBytes`: what requests expect unless they say something else. */
  constructor(expectedBytes?: number) {
    this.#expectedBytes = expectedBytes;
    mkdirSync(this.stagingRoot, { recursive: true });
    mkdirSync(join(this.root, 'outside'));
    writeFileSync(this.secret, 'secret');
  }

  /** Fetches with the configuration's defaults, but few short attempts. */
  fetch(
    request: Partial<ArtifactRequest> & { url: string },
    settings: Settings = {},
    signal = new AbortController().signal,
  ): Promise<FetchedArtifact> {
    return fetchArtifact(
      {
        filename: 'zeus-1.tar.gz',
        stagingRoot: this.stagingRoot,
        sha256: undefined,
        ifNoneMatch: undefined,
        expectedBytes: this.#expectedBytes,
        owner: undefined,
        allowLinksTo: [],
        onProgress: (progress) => this.progress.push(progress),
        onProcess: async (staging) => this.announce(staging),
        ...request,
      },
      { ...settingsOf(settings), thread },
      signal,
    );
  }

  /** What `onProcess` does unless a test has its own. */
  announce(staging: Staging): void {
    this.staged.push(staging);
    this.#announced.resolve(staging);
  }

  /** The first staging directory that is announced. */
  get staging(): Promise<Staging> {
    return this.#announced.promise;
  }

  async unpack(request: Partial<ArtifactRequest> & { url: string }, settings?: Settings): Promise<Unpacked> {
    const fetched = await this.fetch(request, settings);
    if (fetched.kind !== 'unpacked') throw new Error(`not unpacked but ${fetched.kind}`);
    return fetched;
  }

  /** Fetches what must fail: returns the error's code and params, once it is sure that nothing is left of the attempt. */
  async refusal(request: Partial<ArtifactRequest> & { url: string }, settings?: Settings) {
    const error = await this.fetch(request, settings).then(
      () => expect.fail('it was unpacked'),
      (reason: unknown) => reason,
    );
    await this.assertClean();
    if (!(error instanceof DeployError)) throw error;
    return { code: error.code, params: error.params };
  }

  /** Nothing in staging, nothing but what was there outside the base, no process left. */
  async assertClean(): Promise<void> {
    expect(readdirSync(this.stagingRoot)).toEqual([]);
    expect(readdirSync(this.root, { recursive: true }).sort()).toEqual([
      'base',
      'base/.deploy',
      'base/.deploy/.staging',
      'outside',
      'outside/secret',
    ]);
    expect(readFileSync(this.secret, 'utf8')).toBe('secret');
    for (const { pid } of this.staged) expect(await startTimeOf(pid)).toBeUndefined();
    for (const { stagingDir } of this.staged) expect(existsSync(stagingDir)).toBe(false);
    expect(new Set(this.staged.map(({ stagingDir }) => stagingDir)).size).toBe(this.staged.length);
  }
}

function settingsOf({ download, unpack }: Settings): ArtifactSettings {
  return agentConfigSchema.parse({ download: { attempts: 1, ...download }, unpack: { ...unpack } });
}
