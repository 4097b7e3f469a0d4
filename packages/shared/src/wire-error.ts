import { zhTexts } from './error-texts.zh.ts';
import { DeployError, type ErrorCode, type ErrorParams } from './errors.ts';
import { toWire } from './to-wire.ts';
import { wireErrorSchema } from './wire-error-schema.ts';

// In a file of its own, so that a short-lived child process can use it without loading gRPC.
export { toWire };

/** The metadata key that carries an error's code and params (see agent.proto). */
export const ERROR_KEY = 'sampan-error-bin';

/** The error that a peer meant. A code from a newer version becomes INTERNAL that carries what was sent as its cause. */
export function fromWire(value: unknown): DeployError {
  const parsed = wireErrorSchema.safeParse(value);
  if (!parsed.success || !isErrorCode(parsed.data.code)) {
    return new DeployError('INTERNAL', {}, { cause: value });
  }
  const { code, params, aftermath } = parsed.data;
  // A peer of ours wrote these params from the same table; a text that misses one prints "undefined" and breaks nothing.
  return new DeployError(code, params as unknown as ErrorParams[ErrorCode], { aftermath });
}

/** The error that a peer sent under `ERROR_KEY`: JSON, as `toWire` writes it. */
export function fromCarried(bytes: Uint8Array): DeployError {
  try {
    return fromWire(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    return new DeployError('INTERNAL', {}, { cause });
  }
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(zhTexts, code);
}
