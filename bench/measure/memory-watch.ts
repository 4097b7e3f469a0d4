import { setTimeout as delay } from 'node:timers/promises';
import { type TreeMemory, treeMemory } from './process-memory.ts';

const EVERY_MS = 10;
const LOOK_AGAIN_MS = 250;
/** A process has settled when its memory has moved by less than this within the time below. */
const STEADY_MIB = 0.5;

/** Watches a process tree while `work` runs; resolves with the most that was seen, of each kind for itself. */
export async function peakDuring(pid: number, work: () => Promise<unknown>): Promise<TreeMemory> {
  const peak: TreeMemory = { resident: 0, rss: 0, pss: 0, anonymous: 0 };
  const look = () => {
    const now = treeMemory(pid);
    for (const kind of ['resident', 'rss', 'pss', 'anonymous'] as const) peak[kind] = Math.max(peak[kind], now[kind]);
  };
  const timer = setInterval(look, EVERY_MS);
  try {
    await work();
    look();
  } finally {
    clearInterval(timer);
  }
  return peak;
}

/** Waits until the memory of a process tree stands still for five seconds, a minute at most; resolves with what it is then. */
export async function settled(pid: number, { quick }: { quick: boolean }, signal: AbortSignal): Promise<TreeMemory> {
  const { steadyMs, atMostMs } = quick ? { steadyMs: 250, atMostMs: 250 } : { steadyMs: 5000, atMostMs: 60_000 };
  const giveUpAt = performance.now() + atMostMs;
  let reference = treeMemory(pid);
  let since = performance.now();
  for (;;) {
    await delay(LOOK_AGAIN_MS, undefined, { signal });
    const now = treeMemory(pid);
    if (Math.abs(now.rss - reference.rss) > STEADY_MIB) {
      reference = now;
      since = performance.now();
    }
    if (performance.now() - since >= steadyMs || performance.now() > giveUpAt) return now;
  }
}
