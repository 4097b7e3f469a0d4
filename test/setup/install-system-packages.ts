// Run by `npm test` before the tests: installs what they need and npm cannot bring, where that is possible.
// Where it is not, it says so and the tests go on: suites that miss something are named at the end of the run.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { withoutStartingServices } from './policy-rc.ts';
import { type Requirement, systemRequirements } from './system-requirements.ts';

const INSTALL_TIMEOUT_MS = 10 * 60_000;

const missing = namedInTests().filter((name) => !systemRequirements[name].isMet());
const packages = [...new Set(missing.flatMap((name) => systemRequirements[name].packages))].sort();
const obstacle = whyNot();

if (packages.length > 0 && obstacle === undefined) {
  say(`installing with apt-get, as tests need it: ${packages.join(' ')}`);
  withoutStartingServices(say, () => {
    aptGet(['-qq', 'update']);
    aptGet(['-qq', '--yes', '--no-install-recommends', 'install', ...packages]);
  });
} else if (missing.length > 0) {
  say(`missing: ${missing.join(', ')}${packages.length > 0 ? `; not installed: ${obstacle}` : ''}`);
}

/** The requirements that test files name: nothing is installed that no test needs. */
function namedInTests(): Requirement[] {
  const calls = globSync('test/**/*.test.ts')
    .map((file) => readFileSync(file, 'utf8'))
    .flatMap((text) => [...text.matchAll(/\brequires\(([^)]*)\)/g)].map(([, names = '']) => names));
  return Object.keys(systemRequirements).filter((name): name is Requirement =>
    calls.some((names) => names.includes(`'${name}'`)),
  );
}

function whyNot(): string | undefined {
  if (!systemRequirements.root.isMet()) return 'that takes root';
  const release = spawnSync('sh', ['-c', '. /etc/os-release && echo "$ID $ID_LIKE"'], { encoding: 'utf8' }).stdout;
  return /\b(debian|ubuntu)\b/.test(release) ? undefined : 'this is neither Debian nor Ubuntu';
}

/** Quiet unless it fails; then the run goes on, and the suites concerned say what they miss. */
function aptGet(args: string[]): void {
  const ended = spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (ended.status === 0) return;
  const ending = ended.error?.message ?? `exit ${ended.status}`;
  say(`apt-get ${args.join(' ')} failed (${ending}):\n${ended.stdout}${ended.stderr}`.trimEnd());
}

function say(line: string): void {
  console.log(`test set-up: ${line}`);
}
