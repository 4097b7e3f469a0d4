import { STATUS_CODES } from 'node:http';
import { errorText } from '@sampan/shared/error-text.ts';
import { asDeployError } from '@sampan/shared/errors.ts';
import type { FastifyReply } from 'fastify';

/** Answers a failure of `/v1` as a problem document (RFC 9457), in English, with our code and its params. */
export function sendProblem(thrown: unknown, status: number, reply: FastifyReply): void {
  const error = asDeployError(thrown);
  const { code, params } = error;
  const title = STATUS_CODES[status] ?? 'Error';
  void reply
    .code(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title, status, detail: errorText(error, 'en'), code, params });
}
