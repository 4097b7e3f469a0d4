import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Supervisor } from '../../packages/agent/src/supervisor/supervisor.ts';
import { DeployError } from '../../packages/shared/src/errors.ts';
import { silentLog } from './silent-log.ts';
import { type TestSupervisord, testSupervisord } from './supervisord.ts';

const signal = new AbortController().signal;

/** A supervisord, an agent's view of it, and a base with two releases of which `one` is current. */
export async function supervisedProject({ settleMs = 100 }: { settleMs?: number } = {}) {
  const supervisord = await testSupervisord();
  const { dir } = supervisord;
  const settings = {
    ctl: [wrapperOf(supervisord), '-c', supervisord.conf],
    confFile: 'auto',
    settleMs,
    logRoots: [join(dir, 'log')],
  };
  const supervisor = new Supervisor({ ...settings, recordsDir: join(dir, 'records') }, silentLog);
  const deployDir = join(dir, 'base/.deploy');
  for (const release of ['one', 'two']) mkdirSync(join(deployDir, release), { recursive: true });
  symlinkSync('.deploy/one', join(dir, 'base/zeus'));
  const project = { projectName: 'mp', linkName: 'zeus' };
  return {
    supervisord,
    supervisor,
    project,
    starts: join(dir, 'starts'),
    /** The supervisorctl commands that have been carried out, and how often. */
    calls: () => readFileSync(join(dir, 'calls'), 'utf8').trim().split('\n'),
    /** From now on, nothing happens when this command is called. */
    swallow: (command: string) => writeFileSync(join(dir, `swallow-${command}`), ''),
    directory: join(dir, 'base/zeus'),
    expected: (release: string) => ({ releasePath: join(deployDir, release), deployDir }),
    async flip(release: string) {
      await symlink(`.deploy/${release}`, join(dir, 'base/next'));
      await rename(join(dir, 'base/next'), join(dir, 'base/zeus'));
    },
    async write(...lines: string[]) {
      await supervisor.writeProgramConfig({ projectName: 'mp', text: `${lines.join('\n')}\n`, osSystem: '' }, signal);
    },
    /** How often each program has started, by the name that it appends to a file. */
    counts(): Record<string, number> {
      const names = readFileSync(join(dir, 'starts'), 'utf8').trim().split('\n');
      return Object.fromEntries(
        Object.entries(Object.groupBy(names, (name) => name)).map(([name, all]) => [name, all?.length ?? 0]),
      );
    },
  };
}

/** A supervisorctl that writes down what it was asked for, once it has done it. */
function wrapperOf({ dir }: TestSupervisord): string {
  const wrapper = join(dir, 'supervisorctl.sh');
  const script = `#!/bin/sh
[ -e "${dir}/swallow-$3" ] || supervisorctl "$@"
code=$?
shift 2
echo "$*" >> ${dir}/calls
exit $code
`;
  writeFileSync(wrapper, script, { mode: 0o755 });
  return wrapper;
}

/** The code and params of the DeployError that a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<{ code: string; params: unknown }> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DeployError)) throw error ?? new Error('it succeeded');
  return { code: error.code, params: error.params };
}

/** A program that says under which name it has started, then stays. */
export const counting = (starts: string, name = '%(program_name)s') =>
  `command=sh -c "echo ${name} >> ${starts}; exec sleep 1000"\nstartsecs=0`;
