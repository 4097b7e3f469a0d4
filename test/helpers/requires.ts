import { expect, inject } from 'vitest';
import { recordMissing } from '../setup/missing-requirements.ts';
import { type Requirement, systemRequirements } from '../setup/system-requirements.ts';

export { programPath, type Requirement } from '../setup/system-requirements.ts';

/**
 * Whether this machine has what npm cannot bring: `describe.runIf(requires('supervisord', 'root'))('…')`.
 * What is missing is named at the end of the run, where CI=true counts it as a failure.
 * `npm test` reads the names from the test files and installs what it can, so write them as plain strings.
 */
export function requires(...names: Requirement[]): boolean {
  const missing = names.filter((name) => !isMet(name));
  if (missing.length === 0) return true;
  const testFile = expect.getState().testPath ?? '';
  recordMissing(inject('missingRequirementsFile'), { testFile, missing });
  return false;
}

const known = new Map<Requirement, boolean>();

function isMet(name: Requirement): boolean {
  const met = known.get(name) ?? systemRequirements[name].isMet();
  known.set(name, met);
  return met;
}
