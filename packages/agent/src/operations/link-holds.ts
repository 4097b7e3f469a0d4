import { dirname } from 'node:path';
import { DeployError } from '@sampan/shared/errors.ts';
import type { Fence } from './journal-record.ts';

/** Who works on a link. */
export interface Holder {
  operationId: string;
  project: string;
  /** What it brings, as people know it. */
  version: string;
  /** Under which lock it was told to. */
  fence?: Fence | undefined;
}

/** Who has lost a link to a later lock, and under which it was told to take it. */
export interface EvictedHolder {
  operationId: string;
  fence: Fence;
}

interface Hold extends Holder {
  since: string;
  /** The releases on this disk that it needs, once known: the one it brings, and the one to go back to. */
  releases: Set<string>;
  expiry: NodeJS.Timeout | undefined;
}

/**
 * One operation at a time may work on a link.
 * INVARIANTS: a hold ends with its operation, or, between staging and activation, when its time is up; so a caller
 * that vanished after Stage blocks nobody for long. While a phase runs, its hold never expires.
 */
export class LinkHolds {
  readonly #holds = new Map<string, Hold>();

  /**
   * Takes the link for an operation, or goes on holding it. An operation that has staged and waits loses it to one whose lock came
   * later: its own has passed to that.
   * @returns whose hold has ended by that.
   * @throws LINK_HELD that names the holder.
   */
  acquire(link: string, holder: Holder): EvictedHolder | undefined {
    const found = this.#holds.get(link);
    const evicted = evictedBy(holder, found);
    if (evicted) this.letGo(link, evicted.operationId);
    const held = evicted ? undefined : found;
    if (held && held.operationId !== holder.operationId) {
      const { project, version, operationId, since } = held;
      throw new DeployError('LINK_HELD', { project, release: version, operationId, since });
    }
    clearTimeout(held?.expiry);
    this.#holds.set(link, {
      since: new Date().toISOString(),
      releases: new Set(),
      ...held,
      ...holder,
      expiry: undefined,
    });
    return evicted;
  }

  /** Says which releases the operation needs: nobody may delete them while it holds the link. */
  need(link: string, operationId: string, ...releases: string[]): void {
    const held = this.#holds.get(link);
    if (held?.operationId !== operationId) return;
    for (const release of releases) held.releases.add(release);
  }

  /** The releases that the holders of a base's links need. */
  neededIn(baseDir: string): ReadonlySet<string> {
    const holds = [...this.#holds].filter(([link]) => dirname(link) === baseDir);
    return new Set(holds.flatMap(([, { releases }]) => [...releases]));
  }

  /** Lets the hold end by itself, unless the operation goes on before. */
  expireIn(link: string, operationId: string, ms: number): void {
    const held = this.#holds.get(link);
    if (held?.operationId !== operationId) return;
    clearTimeout(held.expiry);
    held.expiry = setTimeout(() => this.letGo(link, operationId), ms).unref();
  }

  /** Lets go of whatever an operation holds. */
  letGoOf(operationId: string): void {
    for (const link of this.#holds.keys()) this.letGo(link, operationId);
  }

  letGo(link: string, operationId: string): void {
    const held = this.#holds.get(link);
    if (held?.operationId !== operationId) return;
    clearTimeout(held.expiry);
    this.#holds.delete(link);
  }
}

/** Only what has staged and waits is in nobody's hands; only of one database is it known which lock came later. */
function evictedBy({ operationId, fence }: Holder, held: Hold | undefined): EvictedHolder | undefined {
  if (held?.expiry === undefined || held.operationId === operationId) return undefined;
  if (!(fence && held.fence) || fence.database !== held.fence.database) return undefined;
  return fence.number > held.fence.number ? { operationId: held.operationId, fence: held.fence } : undefined;
}
