import { DeployError } from '@sampan/shared/errors.ts';
import type { FastifyRequest } from 'fastify';

const KEY = /^[\x21-\x7e]{1,200}$/;

/** The Idempotency-Key of a request; undefined where it has none. @throws DeployError INVALID_REQUEST. */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && KEY.test(key)) return key;
  const expected = '1 to 200 printable ASCII characters without spaces';
  throw new DeployError('INVALID_REQUEST', { field: 'Idempotency-Key', found: String(key).slice(0, 80), expected });
}
