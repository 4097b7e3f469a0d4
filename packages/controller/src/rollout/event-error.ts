import { errorText } from '@sampan/shared/error-text.ts';
import type { DeployError } from '@sampan/shared/errors.ts';
import { fromWire, toWire } from '@sampan/shared/wire-error.ts';
import type { EventError } from './course.ts';

/** An error as it stands in an event: for programs, and in words. */
export function eventError(error: DeployError): EventError {
  return { ...toWire(error), detail: errorText(error, 'en') };
}

/** The error that an event tells of. */
export function errorOf({ code, params, aftermath }: EventError): DeployError {
  return fromWire({ code, params, ...(aftermath ? { aftermath } : {}) });
}

/** What a host is that has ended with this error: it failed, or nobody knows. */
export function failureState({ code }: DeployError): 'failed' | 'unknown' {
  return code === 'STATE_UNKNOWN' ? 'unknown' : 'failed';
}
