import { randomUUIDv7 } from 'node:crypto';
import type { Store } from '../store/store.ts';
import { unwritable } from '../store/store-error.ts';
import type { AuditedEnd } from '../store/tables.ts';
import { Audit, type AuditEntry } from './audit.ts';

/** Writes down what takes long: that it begins before it does, and what it came to soon after. */
export class AuditTrail {
  readonly #store: Pick<Store, 'db' | 'later'>;

  constructor(store: Pick<Store, 'db' | 'later'>) {
    this.#store = store;
  }

  /**
   * Durable when it resolves, to what is to be called with the end.
   * @throws DeployError STORE_UNWRITABLE: it is not written down, and must not be begun.
   */
  async begin(entry: Omit<AuditEntry, 'outcome' | 'operationId'>): Promise<(end: AuditedEnd) => void> {
    const operationId = randomUUIDv7();
    try {
      await new Audit(this.#store.db).append({ ...entry, outcome: 'begun', operationId });
    } catch (cause) {
      throw unwritable(cause);
    }
    return (end) => this.#store.later.add({ kind: 'audit ended', operationId, at: new Date().toISOString(), end });
  }
}
