import type { AgentConfig } from '../config.ts';
import type { Owner } from '../host/owner.ts';
import type { UnpackThread } from './unpack-thread.ts';

/** What is to be fetched, and where to. */
export interface ArtifactRequest {
  url: string;
  /** By its ending a tar to unpack, or a jar or war that is one file of this name. */
  filename: string;
  /** `<base>/.deploy/.staging`; exists. */
  stagingRoot: string;
  /** What the caller expects, lower-case hex. */
  sha256: string | undefined;
  /** The strong ETag of what stands already: the origin may answer that nothing has changed. */
  ifNoneMatch: string | undefined;
  /** How big the artifact of the current release was, in bytes; undefined: nobody knows. Decides only where it is unpacked. */
  expectedBytes: number | undefined;
  /** Whom every entry belongs to; undefined: the agent. */
  owner: Owner | undefined;
  /** Absolute paths at or below which symlinks may point. */
  allowLinksTo: readonly string[];
  /** Told at most every 100 ms and at the end. `totalBytes` is 0 while unknown; `bytes` goes back when all starts again. */
  onProgress: (progress: { bytes: number; totalBytes: number; entries: number }) => void;
  /** Told of each process that unpacks, and awaited, before it writes anything. */
  onProcess: (process: { stagingDir: string; pid: number; pidStartTime: string }) => Promise<void>;
}

export interface ArtifactSettings {
  download: AgentConfig['download'];
  unpack: AgentConfig['unpack'];
  /** Where small artifacts are unpacked; undefined: as all others are. */
  thread?: UnpackThread | undefined;
}

/** What has become of it. The caller removes `stagingDir`. */
export type FetchedArtifact =
  | { kind: 'not_modified' }
  | {
      kind: 'unpacked';
      stagingDir: string;
      /** All that was unpacked. */
      contentDir: string;
      /** The release: `contentDir`, the only directory in it where that is named like the release, or the bare file. */
      root: string;
      /** The tree as it was unpacked, for `verifyTree` (releases/tree-file.ts). */
      treeFile: string;
      sha256: string;
      /** Of the artifact as it came. */
      bytes: number;
      entries: number;
      /** Only a strong one. */
      etag: string | undefined;
    };
