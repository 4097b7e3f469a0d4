import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** How many files and directories stand in the staging of a base so far, of the one artifact that is being unpacked. */
export function unpackedFiles(base: string): number {
  const staging = join(base, '.deploy/.staging');
  const [id] = readdirSync(staging);
  const content = join(staging, id ?? '', 'content');
  return id !== undefined && existsSync(content) ? readdirSync(content, { recursive: true }).length : 0;
}
