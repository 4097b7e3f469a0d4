import { asDeployError, type DeployError, type ErrorCode } from '@sampan/shared/errors.ts';

/** What one host came to. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: DeployError };

/** Outcomes by the host's name as the caller wrote it, in the caller's order. */
export type Outcomes<T> = ReadonlyMap<string, Outcome<T>>;

/** Works on all hosts at once. Never throws: what is no DeployError becomes INTERNAL. */
export async function collectOutcomes<H extends { name: string }, T>(
  hosts: readonly H[],
  work: (host: H) => Promise<T>,
): Promise<Outcomes<T>> {
  return new Map(await Promise.all(hosts.map(async (host) => [host.name, await outcomeOf(work(host))] as const)));
}

/** `OK`, or the code of the error: the label of metrics and logs. */
export function outcomeCode(outcome: Outcome<unknown>): 'OK' | ErrorCode {
  return outcome.ok ? 'OK' : outcome.error.code;
}

/** What the work came to. Never throws. */
export async function outcomeOf<T>(promise: Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await promise };
  } catch (error) {
    return { ok: false, error: asDeployError(error) };
  }
}
