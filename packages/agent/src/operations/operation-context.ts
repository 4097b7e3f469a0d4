import type { JournalRecord, Phase } from './journal-record.ts';

/** How far a phase is: what its callers are streamed. Zeros where a step counts nothing. */
export interface Progress {
  step: string;
  state: 'started' | 'running' | 'finished';
  bytes: number;
  totalBytes: number;
  entries: number;
  elapsedMs: number;
}

export type Counts = Pick<Progress, 'bytes' | 'totalBytes' | 'entries'>;

/** What the work of one phase sees of its operation. */
export interface OperationContext {
  readonly operationId: string;
  readonly phase: Phase;
  /** Aborts with the DeployError that says why: cancelled, past its deadline, or the agent stops. */
  readonly signal: AbortSignal;
  /** What the journal held when this attempt began, of both phases. */
  readonly history: readonly JournalRecord[];
  /** Adds to the journal; durable when the promise resolves. */
  record(entry: UndatedRecord): Promise<void>;
  /** Runs one step and tells the callers; counts are told with `count`. */
  step<T>(name: string, run: (count: (counts: Counts) => void) => Promise<T>): Promise<T>;
  /** The point of no return: throws when the operation was cancelled; afterwards it cannot be. */
  decideFlip(): void;
}

/** A record as a step writes it: time and phase are added by the operation. */
export type UndatedRecord = JournalRecord extends infer R
  ? R extends JournalRecord
    ? Omit<R, 'at' | 'phase'>
    : never
  : never;
