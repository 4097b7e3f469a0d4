import { EventEmitter, once } from 'node:events';
import { abortable } from '../abortable.ts';
import type { RolloutRecords } from '../store/rollout-records.ts';
import { addEvent, type Course, type CourseEvent, newCourse } from './course.ts';

/** What was written down of a rollout before this process took it up. */
export interface Written {
  seq: number;
  course: Course;
}

/** What happens in one rollout while it runs here: added up, numbered and written down. */
export class RolloutLog {
  readonly operationId: string;
  readonly course: Course;
  readonly #records: RolloutRecords;
  readonly #suspended: AbortSignal;
  readonly #changes = new EventEmitter<{ request: [] }>().setMaxListeners(0);
  #seq: number;
  #resumes = 0;

  /** `suspended`: aborted when somebody else is to write down what follows. */
  constructor(
    about: { operationId: string; hosts: readonly string[]; written?: Written | undefined; suspended: AbortSignal },
    records: RolloutRecords,
  ) {
    this.operationId = about.operationId;
    this.course = about.written?.course ?? newCourse(about.hosts, records.clock.nowMs());
    this.#seq = about.written?.seq ?? 0;
    this.#suspended = about.suspended;
    this.#records = records;
  }

  /** How often somebody has asked to resume, in this process. */
  get resumes(): number {
    return this.#resumes;
  }

  /** By the clock that the course's times are of. */
  nowMs(): number {
    return this.#records.clock.nowMs();
  }

  /** Takes one more. It is written soon, in order. */
  add(event: CourseEvent): void {
    void this.#take(event);
  }

  /**
   * The same for what decides how the rollout goes on: resolves when it is written. A database of this controller alone that takes no
   * write holds nothing up, and the agents are asked after a crash. Where others may carry on, nothing is decided unless it is
   * written: they could decide otherwise.
   * @throws what `suspended` was aborted with.
   */
  async decide(event: Exclude<CourseEvent, { kind: 'progress' }>): Promise<void> {
    const written = this.#take(event);
    const tried = this.#records.written();
    await abortable(this.#records.isShared ? written : tried, this.#suspended);
  }

  #take(event: CourseEvent): Promise<void> {
    const at = new Date(this.nowMs());
    addEvent(this.course, event, at.getTime());
    this.#seq += 1;
    const state = event.kind === 'rollout' ? event.state : undefined;
    const stored = { seq: this.#seq, at: at.toISOString(), ...event };
    const written = this.#records.happened(this.operationId, stored, state);
    if (event.kind === 'request' && event.request === 'resume') this.#resumes += 1;
    if (event.kind === 'request') this.#changes.emit('request');
    return written;
  }

  /** Resolves when the next request comes. @throws what `signal` was aborted with. */
  async requested(signal: AbortSignal): Promise<void> {
    await once(this.#changes, 'request', { signal });
  }
}
