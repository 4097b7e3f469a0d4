import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.ts';

/** A place where a command of the agent hangs, once it is told to. */
export interface Snag {
  /** Shell words that hang if the snag is armed, and otherwise go on with what follows. */
  script: string;
  /** The next to come by hangs. */
  arm(): void;
  /** Resolves to the pid of what hangs. */
  untilHanging(): Promise<number>;
}

export function snagIn(dir: string): Snag {
  const armed = join(dir, 'snag-armed');
  const pid = join(dir, 'snag-pid');
  return {
    script: `if rm ${armed} 2>/dev/null; then echo $$ > ${pid}.new; mv ${pid}.new ${pid}; exec sleep 100000; fi`,
    arm: () => writeFileSync(armed, ''),
    async untilHanging() {
      await until('the command hangs', () => existsSync(pid));
      return Number(readFileSync(pid, 'utf8'));
    },
  };
}
