import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '@sampan/shared/errors.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where worker processes write down what they missed, for the reporter at the end. */
    missingRequirementsFile: string;
  }
}

/** That `testFile` leaves something out, for want of `missing`. */
export interface MissingRequirement {
  testFile: string;
  missing: string[];
}

/** Adds a line to the list. A line is one write: workers do not mix theirs. */
export function recordMissing(list: string, missing: MissingRequirement): void {
  mkdirSync(dirname(list), { recursive: true });
  appendFileSync(list, `${JSON.stringify(missing)}\n`);
}

/** What was recorded: by test file, what it missed, each once. */
export function missingByFile(list: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const line of readLines(list)) {
    const { testFile, missing } = JSON.parse(line) as MissingRequirement;
    found.set(testFile, new Set([...(found.get(testFile) ?? []), ...missing]));
  }
  return found;
}

function readLines(list: string): string[] {
  try {
    return readFileSync(list, 'utf8').split('\n').filter(Boolean);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
