import type { Target } from '../releases/layout.ts';

/** The links of one base, as they stand at one moment. */
export interface BaseLinks {
  /** The link of a target; undefined where it is not of this base. */
  linkOf(target: Target): string | undefined;
  /** What each link names; one that is not there is not in it. */
  texts: ReadonlyMap<string, string>;
}
