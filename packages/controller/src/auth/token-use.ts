import type { WriteBehind } from '../store/write-behind.ts';

const WRITTEN_EVERY_MS = 60_000;

/** When tokens were last used: written soon, and at most once a minute each. */
export class TokenUse {
  readonly #later: WriteBehind;
  /** By token id; as many as there are tokens. */
  readonly #written = new Map<string, number>();

  constructor(later: WriteBehind) {
    this.#later = later;
  }

  note(id: string, nowMs: number = Date.now()): void {
    if (nowMs - (this.#written.get(id) ?? 0) < WRITTEN_EVERY_MS) return;
    this.#written.set(id, nowMs);
    this.#later.add({ kind: 'token used', id, at: new Date(nowMs).toISOString() });
  }
}
