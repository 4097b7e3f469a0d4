import type { Outcomes } from '../outcomes.ts';

/** What a rollout is, beside its outcomes. */
export interface AboutRollout {
  operationId: string;
  linkName: string;
  /** The controller died while it ran: those who waited then wait no more, and will ask again. */
  isOwed: boolean;
  /** Called once: a caller was told the outcome, or nobody is to be told any more. */
  onSettled: () => void;
}

/** A rollout from its start until its outcome was told, and those who wait for that. */
export class RunningRollout {
  readonly operationId: string;
  readonly linkName: string;
  /** What it comes to. Rejects with STORE_UNWRITABLE when it could not be written down and so was not begun. */
  readonly outcomes: Promise<Outcomes<unknown>>;
  readonly #about: AboutRollout;
  #callers = 0;
  #hasEnded = false;
  #wasTold = false;
  #isSettled = false;

  constructor(about: AboutRollout, outcomes: Promise<Outcomes<unknown>>) {
    this.operationId = about.operationId;
    this.linkName = about.linkName;
    this.#about = about;
    this.outcomes = outcomes.then((ended) => {
      this.#hasEnded = true;
      this.#settleIfDone();
      return ended;
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
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
