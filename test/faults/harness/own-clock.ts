import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeTimeLibrary } from '../../setup/system-requirements.ts';

/** The clock of a process, that can be set while it runs. What counts from its start goes on as if nothing had been. */
export interface OwnClock {
  /** What the process is started with. */
  env: Record<string, string>;
  /** From now on it is so many days ahead of this machine's, behind where negative. */
  setDaysAhead(days: number): void;
}

const RIGHT = '+0';

export function ownClock(dir: string): OwnClock {
  const file = join(dir, 'clock');
  writeFileSync(file, RIGHT);
  return {
    env: {
      LD_PRELOAD: fakeTimeLibrary() ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      // Read at each look at the clock.
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
    setDaysAhead: (days) => writeFileSync(file, days === 0 ? RIGHT : `${days > 0 ? '+' : ''}${days}d`),
  };
}
