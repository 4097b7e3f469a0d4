import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import { z } from 'zod';
import { writeDurably } from '../host/durable-file.ts';
import type { Target } from '../releases/layout.ts';
import type { Fence } from './journal-record.ts';
import type { KnownOperation } from './operations.ts';

const FILE = 'fences.json';

const snapshot = z.array(
  z.object({ link: z.string(), database: z.string(), number: z.number(), operationId: z.string() }),
);

interface Obeyed {
  number: number;
  operationId: string;
}

/**
 * The highest fence that was obeyed on each link, by the database that gave it out.
 * INVARIANTS: it only grows, and outlives a crash: an order is obeyed once its `started` line is durable, and what the journal forgets
 * is written down before.
 */
export class Fences {
  readonly #file: string;
  readonly #obeyed = new Map<string, Map<string, Obeyed>>();
  #keeping = Promise.resolve();

  private constructor(stateDir: string) {
    this.#file = join(stateDir, FILE);
  }

  /** From what was kept, and from the journal. `linkOf` is undefined for a target that the configuration of today refuses. */
  static async open(
    stateDir: string,
    known: ReadonlyMap<string, KnownOperation>,
    linkOf: (target: Target) => string | undefined,
  ): Promise<Fences> {
    const fences = new Fences(stateDir);
    for (const { link, database, number, operationId } of await fences.#kept()) {
      fences.#raise(link, { database, number }, operationId);
    }
    for (const [operationId, operation] of known) {
      for (const record of operation.records) {
        const link = record.event === 'started' ? linkOf(record.target) : undefined;
        if (record.event === 'started' && record.fence && link) fences.#raise(link, record.fence, operationId);
      }
    }
    return fences;
  }

  /**
   * Obeys an order that begins. One without a fence comes from a controller that knows none.
   * @throws DeployError COMMAND_OUTDATED
   */
  obey(link: string, fence: Fence | undefined, operationId: string): void {
    if (!fence) return;
    this.assertNewest(link, fence);
    this.#raise(link, fence, operationId);
  }

  /**
   * Obeys a controller that carries on with an operation, which was begun under the number `former` (0: not known). Durable with the
   * next `keep`, or the next order.
   * @throws DeployError COMMAND_OUTDATED: also where something else was done since.
   */
  announce(link: string, { fence, former }: { fence: Fence; former: number }, operationId: string): void {
    if (former > 0) this.assertNotOvertaken(link, { ...fence, number: former }, operationId);
    this.obey(link, fence, operationId);
  }

  /**
   * For what an operation does that has begun: a controller that carries on with it has a later lock than the one that began it.
   * @throws DeployError COMMAND_OUTDATED: an order of another operation was obeyed since.
   */
  assertNotOvertaken(link: string, fence: Fence | undefined, operationId: string): void {
    const newest = fence && this.#obeyed.get(link)?.get(fence.database)?.operationId;
    // Going back is an operation of its own, and named after the one that it undoes.
    const isOwn = newest !== undefined && (operationId === newest || operationId.startsWith(`${newest}-`));
    if (!isOwn) this.assertNewest(link, fence);
  }

  /** @throws DeployError COMMAND_OUTDATED: an order of a later lock was obeyed since. */
  assertNewest(link: string, fence: Fence | undefined): void {
    const obeyed = fence && this.#obeyed.get(link)?.get(fence.database);
    if (!obeyed || fence.number >= obeyed.number) return;
    const { number: newest, operationId } = obeyed;
    throw new DeployError('COMMAND_OUTDATED', { number: fence.number, obeyed: newest, operationId });
  }

  /** To be called before the journal forgets operations: what they obeyed is still known then. Durable when it resolves. */
  async keep(): Promise<void> {
    const kept = this.#keeping.then(() => this.#write());
    this.#keeping = kept.catch(() => undefined);
    await kept;
  }

  async #write(): Promise<void> {
    const all = [...this.#obeyed].flatMap(([link, byDatabase]) =>
      [...byDatabase].map(([database, obeyed]) => ({ link, database, ...obeyed })),
    );
    await writeDurably(this.#file, JSON.stringify(all), 0o600);
  }

  #raise(link: string, { database, number }: Fence, operationId: string): void {
    const byDatabase = this.#obeyed.get(link) ?? new Map<string, Obeyed>();
    if ((byDatabase.get(database)?.number ?? -1) < number) byDatabase.set(database, { number, operationId });
    this.#obeyed.set(link, byDatabase);
  }

  async #kept(): Promise<z.output<typeof snapshot>> {
    try {
      return snapshot.parse(JSON.parse(await readFile(this.#file, 'utf8')));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
