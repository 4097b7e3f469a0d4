import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { systemCode } from '@sampan/shared/errors.ts';
import { runCommand } from '../host/run-command.ts';
import type { HealthCheck } from './health-check.ts';

/** Where a command is run, as whom, and what it finds in its environment beside what every command does. */
export interface CheckedPlace {
  releaseDir: string;
  owner: { uid: number; gid: number } | undefined;
  env: Record<string, string>;
}

/** What one attempt found: in words where it is not what it should be. */
export type Attempt = { ok: true } | { ok: false; found: string };

/** Looks once. Never throws but for `signal`. @throws what `signal` was aborted with. */
export async function attemptCheck(check: HealthCheck, place: CheckedPlace, signal: AbortSignal): Promise<Attempt> {
  signal.throwIfAborted();
  const { probe, timeoutMs } = check;
  if (probe.kind === 'command') return await attemptCommand(probe.argv, { place, timeoutMs }, signal);
  const timeout = AbortSignal.timeout(timeoutMs);
  const bounded = AbortSignal.any([signal, timeout]);
  try {
    if (probe.kind === 'tcp') await connected(probe, bounded);
    else {
      const status = await statusOf(probe.url, bounded);
      const isExpected = probe.status === 0 ? status >= 200 && status <= 399 : status === probe.status;
      if (!isExpected) return { ok: false, found: `status ${status}` };
    }
    return { ok: true };
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) return { ok: false, found: `no answer within ${timeoutMs / 1000} s` };
    return { ok: false, found: systemCode(error) ?? (error as Error).message };
  }
}

async function attemptCommand(
  argv: readonly string[],
  { place, timeoutMs }: { place: CheckedPlace; timeoutMs: number },
  signal: AbortSignal,
): Promise<Attempt> {
  const { releaseDir: cwd, owner, env } = place;
  // It is asked again and again: what each left running would add up.
  const command = { argv, cwd, owner, env, timeoutMs, leavesNothing: true };
  const { ok, ending, output } = await runCommand(command, signal);
  return ok ? { ok } : { ok, found: output === '' ? ending : `${ending}: ${output}` };
}

function connected({ host, port }: { host: string; port: number }, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const give = () => socket.destroy(new Error('given up'));
    signal.addEventListener('abort', give, { once: true });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
    socket.once('close', () => signal.removeEventListener('abort', give));
  });
}

/** The status alone: no redirect is followed, and no more of the answer is read. */
function statusOf(url: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const isTls = url.startsWith('https:');
    const options = { signal, agent: false as const, headers: { connection: 'close', 'user-agent': 'sampan-agent' } };
    // The host's own certificate names whatever it is called from outside.
    const request = isTls ? httpsRequest(url, { ...options, rejectUnauthorized: false }) : httpRequest(url, options);
    request.once('response', (response) => {
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    // One that switches protocols answers with 101, and Node tells it by this event alone.
    request.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    request.once('error', reject);
    request.once('close', () => reject(new Error('closed without an answer')));
    request.end();
  });
}
