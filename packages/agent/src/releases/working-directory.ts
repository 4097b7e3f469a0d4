import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Where hooks and health checks run: in the release; beside it where it is a bare file. */
export async function workingDirectoryOf(releasePath: string): Promise<string> {
  return (await stat(releasePath)).isDirectory() ? releasePath : dirname(releasePath);
}
