import type { DeployError, WireError } from './errors.ts';

/** HTTP/2 peers cap a header list at 16 KiB by default (grpc-js); a longer param is cut to leave room for others. */
const MAX_PARAM_CHARACTERS = 1500;

/** An error as it is written to the journal, to metadata and between our processes: long params are cut, the cause stays behind. */
export function toWire(error: DeployError): WireError {
  const params = Object.fromEntries(
    Object.entries(error.params).map(([key, value]) => [key, typeof value === 'string' ? cut(value) : value]),
  );
  return { code: error.code, params, ...(error.aftermath ? { aftermath: error.aftermath } : {}) };
}

function cut(text: string): string {
  return text.length <= MAX_PARAM_CHARACTERS ? text : `…${text.slice(-MAX_PARAM_CHARACTERS)}`;
}
