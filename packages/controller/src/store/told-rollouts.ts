import type { Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** Rollouts whose outcome somebody here was told, or is being told, as long as the database may not say so yet. */
export class ToldRollouts {
  readonly #ids = new Set<string>();

  add(operationId: string): void {
    this.#ids.add(operationId);
  }

  /** The database says so. */
  written(operationId: string): void {
    this.#ids.delete(operationId);
  }

  /**
   * To be called before the database is asked for what nobody was told: says of what is found whether somebody was. What is written
   * down meanwhile is here no more, and may not be in the answer yet.
   */
  look(): (operationId: string) => boolean {
    const before = new Set(this.#ids);
    return (operationId) => before.has(operationId) || this.#ids.has(operationId);
  }

  /** What could not be written yet is written with what is begun. `at`: ISO 8601. */
  async writeWith(trx: Transaction<Tables>, at: string): Promise<void> {
    if (this.#ids.size === 0) return;
    const told = trx.updateTable('rollouts').set({ answered_at: at }).where('answered_at', 'is', null);
    await told.where('operation_id', 'in', [...this.#ids]).execute();
  }
}
