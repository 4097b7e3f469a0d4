import type { Outcomes } from '../outcomes.ts';
import type { RolloutLog } from './rollout-log.ts';
import type { RolloutPlan } from './rollout-plan.ts';

/** What a rollout is, beside its outcomes. */
export interface AboutRollout {
  operationId: string;
  /** Another controller had it, or has it: those who wait, or waited, there are to be told, and it is not settled before somebody was. */
  isOwed: boolean;
  /** Called once: a caller was told the outcome, or nobody is to be told any more. */
  onSettled: () => void;
  /** Called when the last of those who waited is gone before it has ended. */
  onLeft?: () => void;
}

/** What it does, while it does. */
export interface InProgress {
  plan: RolloutPlan;
  log: RolloutLog;
  /** Resolves once it is written down; rejects where it was not begun. */
  begun: Promise<unknown>;
  /** To be aborted with OPERATION_CANCELLED: somebody has asked for that. */
  cancelled: AbortController;
  /** To be aborted when it is left to the next controller. */
  suspended: AbortController;
}

/** A rollout from its start until its outcome was told, and those who wait for that. */
export class RunningRollout {
  readonly operationId: string;
  /** Undefined for one that another controller carries out, or that has ended. */
  readonly inProgress: InProgress | undefined;
  /**
   * What it comes to. Rejects with STORE_UNWRITABLE, LINK_HELD or SameRollout when it was not begun, and with what `suspended` was aborted
   * with, unless another controller carries it on.
   */
  readonly outcomes: Promise<Outcomes<unknown>>;
  readonly #about: AboutRollout;
  #callers = 0;
  #hasEnded = false;
  #wasTold = false;
  #isSettled = false;

  constructor(about: AboutRollout, outcomes: Promise<Outcomes<unknown>>, inProgress?: InProgress) {
    this.operationId = about.operationId;
    this.inProgress = inProgress;
    this.#about = about;
    this.outcomes = outcomes.then((ended) => {
      this.#hasEnded = true;
      this.#settleIfDone();
      return ended;
    });
    // Nobody has to wait for it.
    this.outcomes.catch(() => undefined);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether somebody waits for the answer. */
  get isWaitedFor(): boolean {
    return this.#callers > 0;
  }

  /** One more waits for the outcome. */
  join(): this {
    this.#callers += 1;
    return this;
  }

  /** One who waited was told, or is gone. */
  leave({ wasTold }: { wasTold: boolean }): void {
    this.#callers -= 1;
    this.#wasTold ||= wasTold;
    this.#settleIfDone();
    if (this.#callers === 0 && !this.#hasEnded) this.#about.onLeft?.();
  }

  /** Nobody is to be told any more. Again: nothing. */
  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#about.onSettled();
  }

  #settleIfDone(): void {
    const isWaitedFor = this.#callers > 0 || this.#about.isOwed;
    if (this.#hasEnded && (this.#wasTold || !isWaitedFor)) this.settle();
  }
}
