import type { Target } from '../releases/layout.ts';
import type { Activation, JournalRecord } from './journal-record.ts';

/** An activation that a crash interrupted after it had written down that it flips. */
export interface InterruptedActivation {
  target: Target;
  activation: Activation;
  /** The text that the link was to have. */
  flippedTo: string;
  /** It had failed, and was on its way back. */
  reverting: boolean;
}

/** What the records of one operation tell of such an activation; undefined where there is none. */
export function interruptedActivation(records: readonly JournalRecord[]): InterruptedActivation | undefined {
  const last = records.at(-1);
  if (last?.event !== 'interrupted' || last.phase !== 'activate') return undefined;
  const started = records.findLast(({ event, phase }) => event === 'started' && phase === 'activate');
  const flipping = records.findLast(({ event }) => event === 'flipping');
  if (started?.event !== 'started' || !started.activation || flipping?.event !== 'flipping') return undefined;
  const { target, activation } = started;
  const reverting =
    records.findLast(({ event }) => event === 'flipping' || event === 'reverting')?.event === 'reverting';
  return { target, activation, flippedTo: flipping.to, reverting };
}
