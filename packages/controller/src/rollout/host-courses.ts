import type { HostCourse, HostState } from './course.ts';

/** The hosts of a rollout by name, and how many are in each state: that is asked for each host that may begin. */
export class HostCourses extends Map<string, HostCourse> {
  readonly #counts = new Map<HostState, number>();

  override set(host: string, course: HostCourse): this {
    const before = this.get(host);
    if (before) this.#add(before.state, -1);
    this.#add(course.state, 1);
    return super.set(host, course);
  }

  /** How many hosts are in one of these states. */
  count(...states: readonly HostState[]): number {
    return states.reduce((sum, state) => sum + (this.#counts.get(state) ?? 0), 0);
  }

  #add(state: HostState, change: number): void {
    this.#counts.set(state, this.count(state) + change);
  }
}
