import { EventEmitter, once } from 'node:events';
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
  readonly #changes = new EventEmitter<{ written: []; request: [] }>().setMaxListeners(0);
  #seq: number;
  #writtenSeq: number;
  #resumes = 0;

  constructor(
    about: { operationId: string; hosts: readonly string[]; written?: Written | undefined },
    records: RolloutRecords,
  ) {
    this.operationId = about.operationId;
    this.course = about.written?.course ?? newCourse(about.hosts, Date.now());
    this.#seq = about.written?.seq ?? 0;
    this.#writtenSeq = this.#seq;
    this.#records = records;
  }

  /** The last event that can be read. */
  get writtenSeq(): number {
    return this.#writtenSeq;
  }

  /** How often somebody has asked to resume, in this process. */
  get resumes(): number {
    return this.#resumes;
  }

  /** Takes one more. It is written soon, in order. */
  add(event: CourseEvent): void {
    const at = new Date();
    addEvent(this.course, event, at.getTime());
    this.#seq += 1;
    const seq = this.#seq;
    const onWritten = () => {
      this.#writtenSeq = seq;
      this.#changes.emit('written');
    };
    const state = event.kind === 'rollout' ? event.state : undefined;
    this.#records.happened(this.operationId, { seq, at: at.toISOString(), ...event }, { state, onWritten });
    if (event.kind === 'request' && event.request === 'resume') this.#resumes += 1;
    if (event.kind === 'request') this.#changes.emit('request');
  }

  /**
   * The same for what decides how the rollout goes on: resolves when it is written. Where the database takes no write it goes on
   * all the same, and is asked of the agents after a crash.
   */
  async decide(event: Exclude<CourseEvent, { kind: 'progress' }>): Promise<void> {
    this.add(event);
    await this.#records.written();
  }

  /** Resolves when an event after number `after` can be read. @throws what `signal` was aborted with. */
  async writtenAfter(after: number, signal: AbortSignal): Promise<void> {
    while (this.#writtenSeq <= after) await once(this.#changes, 'written', { signal });
  }

  /** Resolves when the next request comes. @throws what `signal` was aborted with. */
  async requested(signal: AbortSignal): Promise<void> {
    await once(this.#changes, 'request', { signal });
  }
}
