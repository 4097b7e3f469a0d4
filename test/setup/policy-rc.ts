import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const POLICY_FILE = '/usr/sbin/policy-rc.d';
const MARK = '# Written by the test set-up of Sampan while it installs packages.';

/**
 * Installs packages without their services being started: Debian's way is a policy file that forbids it.
 * One that is there already is its owner's decision and stays. Ours is removed at the end; should this process be
 * killed before that, the file notices that we are gone, removes itself and allows everything.
 */
export function withoutStartingServices(say: (line: string) => void, install: () => void): void {
  if (existsSync(POLICY_FILE) && !isOurs()) {
    say(`${POLICY_FILE} is there and decides whether services are started`);
    install();
    return;
  }
  say(`no service is started: ${POLICY_FILE} forbids it until the end of the installation`);
  writeFileSync(POLICY_FILE, policyOf(process.pid), { mode: 0o755 });
  try {
    install();
  } finally {
    rmSync(POLICY_FILE);
  }
}

function isOurs(): boolean {
  return readFileSync(POLICY_FILE, 'utf8').includes(MARK);
}

/** Exit status 101 means "do not start it". */
function policyOf(installer: number): string {
  return `#!/bin/sh\n${MARK}\nkill -0 ${installer} 2>/dev/null && exit 101\nrm -f "$0"\nexit 0\n`;
}
