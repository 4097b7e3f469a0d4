/** Why a release is kept although it was to go. */
export type KeepReason = 'current' | 'linked' | 'just_left' | 'in_use' | 'held';

/** The releases of one project and link, newest first, and what forbids deleting some of them. */
export interface PruneQuestion {
  newestFirst: readonly { name: string; version: string }[];
  /** How many stay in any case. */
  keep: number;
  /** A version whose copies are to go whatever their age. */
  unwanted?: string | undefined;
  /** One release that is to go whatever its age. */
  unwantedRelease?: string | undefined;
  protectedBy: ReadonlyMap<string, KeepReason>;
}

/** Which releases go, and which would have gone but are needed. */
export interface PrunePlan {
  remove: string[];
  kept: { release: string; reason: KeepReason }[];
}

export function planPrune({ newestFirst, keep, unwanted, unwantedRelease, protectedBy }: PruneQuestion): PrunePlan {
  const plan: PrunePlan = { remove: [], kept: [] };
  newestFirst.forEach(({ name, version }, index) => {
    if (index < keep && version !== unwanted && name !== unwantedRelease) return;
    const reason = protectedBy.get(name);
    if (reason === undefined) plan.remove.push(name);
    else plan.kept.push({ release: name, reason });
  });
  return plan;
}
