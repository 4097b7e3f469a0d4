import { setTimeout as delay } from 'node:timers/promises';
import { verdictOf, type Work } from './work.ts';

/** Clocks are put right meanwhile. */
const LOOK_AGAIN_MS = 10_000;

/**
 * Waits after a wave: for the time that the strategy has, or for a person; also where somebody has asked for a pause meanwhile.
 * `resume` ends either, cancelling too. After a restart of the controller it waits for what is left.
 */
export async function pauseAfter(work: Work, index: number): Promise<void> {
  const { log, stop } = work.rollout;
  const { course } = log;
  const planned = work.waves[index]?.pause ?? { kind: 'none' };
  const wasPaused = course.state === 'paused';
  if (!wasPaused && planned.kind === 'none' && !course.isToPause) return;
  // Whoever resumes while it is being taken up again, or while the pause is being written down, has resumed it.
  const resumes = wasPaused ? 0 : log.resumes;
  const reason = course.isToPause ? 'requested' : 'canary';
  if (!wasPaused) await log.decide({ kind: 'rollout', state: 'paused', wave: index, reason });
  const untilMs = planned.kind === 'time' ? course.stateSinceMs + planned.ms : Number.POSITIVE_INFINITY;
  while (log.resumes === resumes && verdictOf(work).kind === 'go_on') {
    stop.suspended.throwIfAborted();
    // Somebody who asked for a pause resumes it.
    const leftMs = course.isToPause ? Number.POSITIVE_INFINITY : untilMs - log.nowMs();
    if (leftMs <= 0) return;
    await requestOrTime(work, leftMs);
  }
}

/** Until somebody asks for something, the time may be up, or it is cancelled or suspended: whoever waits looks which. */
async function requestOrTime({ rollout: { log, stop } }: Work, leftMs: number): Promise<void> {
  const woken = new AbortController();
  const signal = AbortSignal.any([stop.suspended, stop.cancelled, woken.signal]);
  const waits = [log.requested(signal)];
  if (Number.isFinite(leftMs)) waits.push(delay(Math.min(leftMs, LOOK_AGAIN_MS), undefined, { signal }));
  await Promise.race(waits).catch(() => undefined);
  woken.abort();
  await Promise.allSettled(waits);
}
