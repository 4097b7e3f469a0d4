import type { WriteBehind } from '../store/write-behind.ts';
import { type AuditEntry, auditRow } from './audit.ts';

const WINDOW_MS = 10 * 60_000;
/** Of strangers; those whose token is known have room beside them. */
const MOST_KINDS = { strangers: 20, all: 100 };

/** Somebody was not let in. `key` is equal for what is the same again: the client, the reason, the token. */
export interface Refusal {
  key: string;
  who: string;
  address: string;
  details: Readonly<Record<string, unknown>>;
}

/**
 * Tells the audit trail who was not let in, in a way that nobody can fill the disk with: within ten minutes the first of each
 * kind at once, how often it came again at the end; of kinds beyond the first only how many requests there were.
 */
export class RefusalTrail {
  readonly #later: WriteBehind;
  readonly #timer: NodeJS.Timeout;
  readonly #known = new Map<string, { refusal: Refusal; again: number }>();
  #others = 0;

  constructor(later: WriteBehind, windowMs: number = WINDOW_MS) {
    this.#later = later;
    this.#timer = setInterval(() => this.#endWindow(), windowMs).unref();
  }

  refused(refusal: Refusal): void {
    const known = this.#known.get(refusal.key);
    if (known) {
      known.again += 1;
    } else if (this.#known.size < (refusal.who === 'unknown' ? MOST_KINDS.strangers : MOST_KINDS.all)) {
      this.#known.set(refusal.key, { refusal, again: 0 });
      this.#write(refusal, refusal.details);
    } else {
      this.#others += 1;
    }
  }

  /** Writes what was only counted so far. */
  close(): void {
    clearInterval(this.#timer);
    this.#endWindow();
  }

  #endWindow(): void {
    for (const { refusal, again } of this.#known.values()) {
      if (again > 0) this.#write(refusal, { ...refusal.details, again });
    }
    if (this.#others > 0) this.#write({ who: 'others' }, { times: this.#others });
    this.#known.clear();
    this.#others = 0;
  }

  #write({ who, address }: Pick<AuditEntry, 'who' | 'address'>, details: Readonly<Record<string, unknown>>): void {
    this.#later.add({ kind: 'audit', row: auditRow({ who, address, action: 'access', outcome: 'refused', details }) });
  }
}
