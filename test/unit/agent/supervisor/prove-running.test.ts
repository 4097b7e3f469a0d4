import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NotRunning, type Proof, proveRunning } from '../../../../packages/agent/src/supervisor/prove-running.ts';
import { SupervisorCtl } from '../../../../packages/agent/src/supervisor/supervisor-ctl.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const signal = new AbortController().signal;

/** A supervisorctl that gives each of these answers once, and then the last one for ever. */
function answering(...answers: string[]): SupervisorCtl {
  const dir = tempDir();
  for (const [index, answer] of answers.entries()) writeFileSync(join(dir, String(index + 1)), `${answer}\n`);
  const script = join(dir, 'ctl');
  writeFileSync(script, `cd ${dir}; echo >> calls; n=$(wc -l < calls); cat $n 2>/dev/null || cat ${answers.length}\n`);
  return new SupervisorCtl(['sh', script]);
}

const zeus = { name: 'zeus', autostart: true, startSecs: 1, stopWaitSecs: 10, processes: [] };

function proofWith(ctl: SupervisorCtl, settleMs: number): Proof {
  const programs = { title: 'zeus', groups: [], shared: [{ name: 'zeus', program: zeus }], retired: [] };
  return { programs, pidsBefore: new Map(), settleMs, ctl };
}

const goneByNow = spawnSync('true').pid;

it('fails at once for a process that ended between the answer that it runs and the first look at it', async () => {
  const ctl = answering(`zeus  RUNNING  pid ${goneByNow}, uptime 0:00:01`, 'zeus  EXITED  Nov 29 05:00 AM');
  const failure = await proveRunning(proofWith(ctl, 600_000), signal).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(NotRunning);
  expect((failure as NotRunning).state).toBe('EXITED');
});

it('believes supervisor of a process that /proc does not show, when it says the same after the settling time', async () => {
  const answer = `zeus  RUNNING  pid ${goneByNow}, uptime 0:00:01`;
  const processes = await proveRunning(proofWith(answering(answer), 20), signal);
  expect(processes.map(({ name, pid }) => [name, pid])).toEqual([['zeus', goneByNow]]);
});
