import type { WireError } from '@sampan/shared/errors.ts';
import type { ArtifactKind } from '@sampan/shared/names.ts';
import type { AgentConfig } from '../config.ts';
import type { Owner } from '../host/owner.ts';
import type { Synced } from '../host/syncfs.ts';

/** How far an archive may go before it is refused. */
export type UnpackLimits = AgentConfig['unpack'];

/** What the agent asks of an unpacker. A process gets it as JSON in its only argument, and the artifact's bytes on its stdin. */
export interface UnpackOrder {
  /** Absolute; exists and is empty. The unpacker writes `content/` and `tree.jsonl` in it, and nowhere else. */
  stagingDir: string;
  filename: string;
  kind: ArtifactKind;
  /** Ids that every entry gets; null: those of the process. */
  owner: Owner | null;
  /** Absolute paths at or below which symlinks may point. */
  allowLinksTo: readonly string[];
  limits: UnpackLimits;
}

/** A small artifact for the agent's own thread. */
export interface SmallArtifact {
  order: UnpackOrder;
  /** All of it. */
  bytes: Uint8Array;
}

/** What is asked of that thread: to unpack, or to make the filesystem of a path durable. */
export type ThreadOrder = { unpack: SmallArtifact } | { sync: string };

/** Undefined: it does not go through there. */
export interface ThreadAnswer {
  unpacked?: Unpacked | undefined;
  synced?: Synced | undefined;
}

/** What was unpacked. */
export interface Unpacked {
  /** Files, directories and symlinks that stand there, those that no entry named but that others need included. */
  entries: number;
  /** The name in `content/` that is the release: a directory or file of its own, or empty for all of `content/`. */
  root: string;
  /** Whether the bytes themselves say that they were all there: a gzip trailer, an end-of-archive marker, a zip end record. */
  complete: boolean;
}

/** What an unpacker process says on its file descriptor 3, one JSON object a line; the last is `done` or `failed`. */
export type UnpackReport =
  | { event: 'progress'; entries: number }
  | { event: 'done'; unpacked: Unpacked }
  | { event: 'failed'; error: WireError };

export const CONTENT_DIR = 'content';
export const TREE_FILE = 'tree.jsonl';
