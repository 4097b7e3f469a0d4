import { faults } from './faults.ts';
import { inputs } from './inputs.ts';
import { skips } from './skips.ts';

/** Every name that is to be tried, group by group: the inputs, then the faults. */
export const registry = { ...inputs, ...faults } as const;

export type Group = keyof typeof registry;
type Name<G extends Group> = (typeof registry)[G][number];

/** The names of a group that need a case: all that are not skipped. */
export type ToTry<G extends Group> = Exclude<Name<G>, keyof (typeof skips)[G]>;

/** Why a name is not tried; undefined where it is. */
export function skipReason(group: string, name: string): string | undefined {
  return (skips as Record<string, Record<string, string>>)[group]?.[name];
}
