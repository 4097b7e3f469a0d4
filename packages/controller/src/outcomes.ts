import { asDeployError, type DeployError, type ErrorCode } from '@sampan/shared/errors.ts';

/** What one host came to. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: DeployError };

/** Outcomes by the host's name as the caller wrote it, in the caller's order. */
export type Outcomes<T> = ReadonlyMap<string, Outcome<T>>;

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
