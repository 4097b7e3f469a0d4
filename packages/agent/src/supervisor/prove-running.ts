import { setTimeout as delay } from 'node:timers/promises';
import { DeployError } from '@sampan/shared/errors.ts';
import { identityOf, type ProcessIdentity } from '../host/processes.ts';
import { isOurs, type ProjectPrograms } from './project-programs.ts';
import type { ProgramStatus } from './supervisor-answers.ts';
import type { SupervisorCtl } from './supervisor-ctl.ts';

/** What a restart has to show for itself. */
export interface Proof {
  programs: ProjectPrograms;
  /** What ran before it, by process. */
  pidsBefore: ReadonlyMap<string, number>;
  settleMs: number;
  ctl: SupervisorCtl;
}

/** A process that is not what it should be after a restart. */
export class NotRunning extends Error {
  readonly process: ProgramStatus;
  readonly state: string;

  constructor(process: ProgramStatus, state: string) {
    super(`${process.name} is ${state}`);
    this.name = 'NotRunning';
    this.process = process;
    this.state = state;
  }
}

const POLL_MS = 250;
const WATCH_MS = 50;

/**
 * Waits until supervisor says RUNNING of each process, which is after its `startsecs`, then for the settling time,
 * and asks again: each must have a new pid, and the same one throughout. A crash in between fails at once.
 * @returns the processes by name.
 * @throws NotRunning; DeployError PROGRAM_UNKNOWN or SUPERVISOR_UNAVAILABLE; what `signal` was aborted with.
 */
export async function proveRunning(proof: Proof, signal: AbortSignal): Promise<ProgramStatus[]> {
  const started = await untilRunning(proof, signal);
  await settle(started, proof, signal);
  return stillRunning(started, proof, signal);
}

async function untilRunning(proof: Proof, signal: AbortSignal): Promise<ProgramStatus[]> {
  for (;;) {
    const processes = await ours(proof, signal);
    const failed = processes.find(({ state }) => !['RUNNING', 'STARTING', 'STOPPING'].includes(state));
    if (failed) throw new NotRunning(failed, failed.state);
    if (processes.every(({ state }) => state === 'RUNNING'))
      return processes.map((process) => assertNew(process, proof));
    await pause(POLL_MS, signal);
  }
}

function assertNew(process: ProgramStatus, { pidsBefore }: Proof): ProgramStatus {
  if (pidsBefore.get(process.name) !== process.pid) return process;
  throw new NotRunning(process, `RUNNING, but still as pid ${process.pid}, from before the restart`);
}

async function stillRunning(
  started: readonly ProgramStatus[],
  proof: Proof,
  signal: AbortSignal,
): Promise<ProgramStatus[]> {
  const processes = await ours(proof, signal);
  for (const process of processes) {
    if (process.state !== 'RUNNING') throw new NotRunning(process, process.state);
    const was = started.find(({ name }) => name === process.name)?.pid ?? 0;
    if (process.pid !== was) throw new NotRunning(process, `${process.state}, but pid ${was} has ended`);
  }
  return processes;
}

async function ours({ programs, ctl }: Proof, signal: AbortSignal): Promise<ProgramStatus[]> {
  const processes = (await ctl.status(signal)).filter((process) => isOurs(process, programs));
  const absent =
    programs.groups.find(({ name }) => !processes.some(({ group }) => group === name)) ??
    programs.shared.find(({ name }) => !processes.some((process) => process.name === name));
  if (absent) throw new DeployError('PROGRAM_UNKNOWN', { program: absent.name });
  return processes;
}

/** Lets the time pass; returns early when a process ends or loses its supervisord, so that supervisor is asked at once. */
async function settle(started: readonly ProgramStatus[], proof: Proof, signal: AbortSignal): Promise<void> {
  const end = performance.now() + proof.settleMs;
  const before = await identities(started);
  // What /proc does not show has just ended, or lives in another namespace: only supervisor can tell which.
  const isHidden = before.includes(undefined);
  for (let left = proof.settleMs; left > 0; left = end - performance.now()) {
    if (isHidden) await stillRunning(started, proof, signal);
    await pause(Math.min(left, isHidden ? POLL_MS : WATCH_MS), signal);
    const now = await identities(started);
    if (now.some((identity, index) => !isSame(identity, before[index]))) return;
  }
}

async function identities(processes: readonly ProgramStatus[]): Promise<(ProcessIdentity | undefined)[]> {
  return Promise.all(processes.map(({ pid }) => identityOf(pid)));
}

function isSame(one: ProcessIdentity | undefined, other: ProcessIdentity | undefined): boolean {
  return one?.parent === other?.parent && one?.startTicks === other?.startTicks;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
