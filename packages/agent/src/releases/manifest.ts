import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { systemCode } from '@sampan/shared/errors.ts';
import { z } from 'zod';

/** What is known of a release: one file in `.meta` each. It counts only while its inode is what stands in `.deploy`. */
export const manifestSchema = z.object({
  project: z.string(),
  link: z.string(),
  /** The artifact's name as it was asked for, and the version that people know it by. */
  filename: z.string(),
  version: z.string(),
  /** Without user, password and query; the whole URL only as its SHA-256, to know it again. */
  url: z.string(),
  urlSha256: z.string(),
  /** The origin's strong ETag, null where it sent none. */
  etag: z.string().nullable(),
  sha256: z.string(),
  bytes: z.number(),
  entries: z.number(),
  inode: z.number(),
  operationId: z.string(),
  /** ISO 8601, UTC: for people. */
  stagedAt: z.string(),
  /** Higher than that of every release which stood in the base before: what is newer, whatever the clock said. */
  sequence: z.number(),
});
export type Manifest = z.output<typeof manifestSchema>;

/** The manifest in a file, or undefined when there is none that can be read as one. */
export async function readManifest(path: string): Promise<Manifest | undefined> {
  try {
    return manifestSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** How a URL is known again without keeping it: its query may be a signature. */
export function urlDigest(url: string): string {
  return createHash('sha256').update(url).digest('hex');
}
