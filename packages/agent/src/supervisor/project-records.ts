import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '@sampan/shared/errors.ts';
import { z } from 'zod';
import { diskError } from '../host/disk-error.ts';
import { makeDirectory, syncDirectory, writeDurably } from '../host/durable-file.ts';
import type { FileContent } from './config-file.ts';

const schema = z.object({
  /** The config file; null where the programs of the project come from a file that is not ours. */
  path: z.string().nullable(),
  /** The groups that the file defined when they were last loaded, and since. */
  groups: z.array(z.string()),
  /** Set while a new text is tried: what stood there before, in base64; null for nothing. */
  trying: z.object({ previous: z.base64().nullable(), mode: z.int() }).optional(),
});

/** What the agent knows of a project's programs beyond the config file itself. */
export type ProjectRecord = z.output<typeof schema>;

/** What stood in the config file before the text that is being tried. */
export function contentBefore({ previous, mode }: NonNullable<ProjectRecord['trying']>): FileContent | undefined {
  return previous === null ? undefined : { bytes: Buffer.from(previous, 'base64'), mode };
}

/**
 * A record a project, durable, for root alone: texts hold passwords. They tell which programs are ours, which of
 * them a newer text has dropped, and, after a crash, which file was being replaced.
 */
export class ProjectRecords {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async read(projectName: string): Promise<ProjectRecord | undefined> {
    const path = this.#pathOf(projectName);
    try {
      return schema.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return undefined;
      throw diskError(cause, { path, operation: 'read' });
    }
  }

  async write(projectName: string, record: ProjectRecord): Promise<void> {
    await makeDirectory(this.#dir);
    await writeDurably(this.#pathOf(projectName), JSON.stringify(record), 0o600);
  }

  async remove(projectName: string): Promise<void> {
    await rm(this.#pathOf(projectName), { force: true });
    await syncDirectory(this.#dir);
  }

  /** The projects that have a record. */
  async projects(): Promise<string[]> {
    const names = await readdir(this.#dir).catch(() => []);
    return names
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .map((name) => name.slice(0, -'.json'.length));
  }

  #pathOf(projectName: string): string {
    return join(this.#dir, `${projectName}.json`);
  }
}
