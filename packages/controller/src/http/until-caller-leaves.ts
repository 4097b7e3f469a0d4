import type { FastifyReply } from 'fastify';

/** Aborted when the connection closes before the answer is sent: what was only for this caller need not go on. */
export function untilCallerLeaves(reply: FastifyReply): AbortSignal {
  const left = new AbortController();
  reply.raw.on('close', () => {
    if (!reply.raw.writableFinished) left.abort();
  });
  return left.signal;
}
