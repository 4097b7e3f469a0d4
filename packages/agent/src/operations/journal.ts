import { fstatSync } from 'node:fs';
import { type FileHandle, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError } from '@sampan/shared/errors.ts';
import { diskError } from '../host/disk-error.ts';
import { makeDirectory, syncDirectory } from '../host/durable-file.ts';
import { type JournalRecord, journalRecordSchema } from './journal-record.ts';

const ENDING = '.jsonl';
const NEWLINE = 10;

/**
 * What every operation is about to do, written and synced before it does it: one file an operation, a JSON line a record.
 * A line that a crash cut is not a record: what it would have said had not begun.
 */
export class Journal {
  readonly #dir: string;
  /** Of the operations that go on. */
  readonly #files = new Map<string, FileHandle>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Opens the journal below `stateDir`, making its directory. */
  static async open(stateDir: string): Promise<Journal> {
    const dir = join(stateDir, 'operations');
    await makeDirectory(dir);
    return new Journal(dir);
  }

  /** Adds a record; durable when the promise resolves. Of one operation, one after the other. */
  async append(operationId: string, record: JournalRecord): Promise<void> {
    const path = this.#path(operationId);
    try {
      const file = this.#files.get(operationId) ?? (await this.#open(operationId, path));
      await file.appendFile(`${JSON.stringify(record)}\n`);
      await file.datasync();
      // Of a file that is open already this waits for nothing. One that somebody has removed meanwhile keeps nothing.
      if (fstatSync(file.fd).nlink === 0)
        throw new DeployError('DISK_ERROR', { path, operation: 'journal', reason: 'ENOENT' });
      if (isLast(record)) await this.#close(operationId);
    } catch (cause) {
      // What of it stands there nobody knows: that is looked at when it is opened again.
      await this.#close(operationId).catch(() => undefined);
      throw diskError(cause, { path, operation: 'journal' });
    }
  }

  /** All operations that are still known, each with its records in order; those first whose last attempt began first. */
  async readAll(): Promise<{ operationId: string; records: JournalRecord[] }[]> {
    const names = (await readdir(this.#dir)).filter((name) => name.endsWith(ENDING));
    const operations = await Promise.all(
      names.map(async (name) => ({
        operationId: name.slice(0, -ENDING.length),
        records: parseRecords(await readFile(join(this.#dir, name), 'utf8')),
        // All that tells the order of those that were written before attempts were numbered.
        changedMs: (await stat(join(this.#dir, name))).mtimeMs,
      })),
    );
    return operations.sort((a, b) => lastSequence(a.records) - lastSequence(b.records) || a.changedMs - b.changedMs);
  }

  /** What an operation did is not known any more. */
  async forget(operationId: string): Promise<void> {
    await rm(this.#path(operationId), { force: true });
  }

  /** Opens the file of an operation, whose name is durable then, at the beginning of a line. */
  async #open(operationId: string, path: string): Promise<FileHandle> {
    const file = await open(path, 'a+', 0o600);
    this.#files.set(operationId, file);
    const { size } = fstatSync(file.fd);
    if (size === 0) await syncDirectory(this.#dir);
    else if ((await lastByte(file, size)) !== NEWLINE) await file.appendFile('\n');
    return file;
  }

  async #close(operationId: string): Promise<void> {
    const file = this.#files.get(operationId);
    this.#files.delete(operationId);
    await file?.close();
  }

  #path(operationId: string): string {
    return join(this.#dir, `${operationId}${ENDING}`);
  }
}

/** Whether an attempt ends with it. */
function isLast({ event }: JournalRecord): boolean {
  return event === 'finished' || event === 'interrupted';
}

/** The number of the last attempt; 0 where attempts had none yet. */
export function lastSequence(records: readonly JournalRecord[]): number {
  const started = records.findLast((record) => record.event === 'started');
  return (started?.event === 'started' && started.sequence) || 0;
}

async function lastByte(file: FileHandle, size: number): Promise<number | undefined> {
  const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 });
  return buffer[0];
}

function parseRecords(text: string): JournalRecord[] {
  return text
    .split('\n')
    .map((line) => journalRecordSchema.safeParse(parseJson(line)).data)
    .filter((record) => record !== undefined);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
