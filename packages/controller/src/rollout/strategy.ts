import type { HealthCheck } from './health-check.ts';

/** How many hosts are activated at one time. Percent is of all hosts, rounded up. */
export type BatchSize = { kind: 'all' } | { kind: 'count'; count: number } | { kind: 'percent'; percent: number };

/** Hosts that go first, and how long the others wait then; null: until a person resumes the rollout. */
export interface Canary {
  hosts: number;
  pauseMs: number | null;
}

/** In which order hosts are activated, once all of them have staged, and what ends that. */
export interface Strategy {
  batch: BatchSize;
  canary: Canary | null;
  /** More hosts than these may not fail, or no further one is activated; null: any number may. */
  maxFailures: number | null;
  /** All hosts, or none: unless every one has staged nothing flips, and when it fails those that flipped go back. */
  atomic: boolean;
  /** Asked by each agent after its activation. */
  healthCheck: HealthCheck | null;
  /** For so long the health check must hold before a wave counts as done. */
  bakeMs: number;
}

/** What is meant where nothing is said: everything at once, and a host that fails stops no other. */
export const ALL_AT_ONCE: Strategy = {
  batch: { kind: 'all' },
  canary: null,
  maxFailures: null,
  atomic: false,
  healthCheck: null,
  bakeMs: 0,
};

/** What comes between a wave and the next. */
export type Pause = { kind: 'none' } | { kind: 'time'; ms: number } | { kind: 'person' };

/** Hosts that are activated together. */
export interface Wave<H> {
  hosts: readonly H[];
  pause: Pause;
}

/** The hosts in their order, wave by wave. There is at least one host in each, and no pause after the last. */
export function planWaves<H>(hosts: readonly H[], { batch, canary }: Strategy): Wave<H>[] {
  const first = Math.min(canary?.hosts ?? 0, hosts.length);
  const waves: Wave<H>[] = [];
  if (canary && first > 0) waves.push({ hosts: hosts.slice(0, first), pause: pauseOf(canary) });
  const size = sizeOf(batch, hosts.length);
  for (let at = first; at < hosts.length; at += size) {
    waves.push({ hosts: hosts.slice(at, at + size), pause: { kind: 'none' } });
  }
  return waves.map((wave, index) => (index === waves.length - 1 ? { ...wave, pause: { kind: 'none' } } : wave));
}

/** Whether a host that is active may yet have to go back: it counts as done only when the others are. */
export function mayGoBack({ atomic, bakeMs }: Strategy): boolean {
  return atomic || bakeMs > 0;
}

function pauseOf({ pauseMs }: Canary): Pause {
  if (pauseMs === null) return { kind: 'person' };
  return pauseMs === 0 ? { kind: 'none' } : { kind: 'time', ms: pauseMs };
}

function sizeOf(batch: BatchSize, hosts: number): number {
  switch (batch.kind) {
    case 'all':
      return Math.max(1, hosts);
    case 'count':
      return batch.count;
    case 'percent':
      return Math.max(1, Math.ceil((hosts * batch.percent) / 100));
  }
}
