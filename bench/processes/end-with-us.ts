import { accessSync, constants } from 'node:fs';

const SETPRIV = '/usr/bin/setpriv';

/** A command line that the kernel ends together with this process, however that ends; the same where there is no setpriv(1). */
export function endWithUs(argv: readonly [string, ...string[]]): [string, ...string[]] {
  try {
    accessSync(SETPRIV, constants.X_OK);
    return [SETPRIV, '--pdeathsig', 'KILL', '--', ...argv];
  } catch {
    return [...argv];
  }
}
