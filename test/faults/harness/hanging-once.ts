import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.ts';

/** A place where a command of the agent hangs, once it is told to. */
export interface Snag {
  /** Shell words that hang if the snag is armed, and otherwise go on with what follows. */
  script: string;
  /** The next to come by hangs; what hangs goes on. */
  arm(): void;
  /** Resolves to the pid of what hangs. */
  untilHanging(): Promise<number>;
  /** What hangs goes on. */
  release(): void;
}

/** `name`: for those who have several in one directory. */
export function snagIn(dir: string, name = 'snag'): Snag {
  const armed = join(dir, `${name}-armed`);
  const pid = join(dir, `${name}-pid`);
  return {
    script: `if rm ${armed} 2>/dev/null; then echo $$ > ${pid}.new; mv ${pid}.new ${pid}; while test -e ${pid}; do sleep 0.02; done; fi`,
    arm() {
      writeFileSync(armed, '');
      rmSync(pid, { force: true });
    },
    async untilHanging() {
      await until('the command hangs', () => existsSync(pid));
      return Number(readFileSync(pid, 'utf8'));
    },
    release: () => rmSync(pid, { force: true }),
  };
}
