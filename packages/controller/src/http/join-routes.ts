import { asDeployError } from '@sampan/shared/errors.ts';
import { z } from 'zod';
import { type Enrolling, join } from '../identity/enroll.ts';
import { newestRoot } from '../identity/roots.ts';
import { type AddressList, clientAddress } from './client-address.ts';
import type { ControllerApp } from './controller-app.ts';
import { sendProblem } from './problem.ts';

const MAX_BODY_BYTES = 16 * 1024;
const body = z.strictObject({ token: z.string().max(100), csr: z.string().max(8192) });

export interface JoinServices {
  /** Asked at each join: the CA may be rolled meanwhile. */
  enrolling(): Enrolling;
  trustedProxies: AddressList;
}

/**
 * What a host needs that has no identity yet: the CA, to be compared with the hash in its token, and the join itself, which its
 * token lets in. Public both: the one tells what is public, the other asks for a token of its own kind.
 */
export function joinRoutes(app: ControllerApp, { enrolling, trustedProxies }: JoinServices): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = asDeployError(thrown);
    request.log.warn({ code: error.code, params: error.params, err: error }, 'join refused');
    sendProblem(error, statusOf(error.code), reply);
  });
  const config = { access: 'public' } as const;
  app.get('/v1/agents/ca.pem', { config, schema: { summary: 'The CA, PEM' } }, (_request, reply) =>
    reply.type('application/x-pem-file').send(newestRoot(enrolling().authority).text),
  );
  app.post(
    '/v1/agents/join',
    { config, bodyLimit: MAX_BODY_BYTES, schema: { summary: 'Exchange a join token for a certificate', body } },
    async (request) => {
      const { token: secret, csr } = request.body;
      const address = clientAddress(request.raw, trustedProxies);
      const enrolled = await join(enrolling(), { secret, csr, address });
      request.log.info({ host: enrolled.host, address }, 'host joined');
      return enrolled;
    },
  );
}

function statusOf(code: string): number {
  if (code === 'JOIN_REFUSED') return 403;
  return code === 'INVALID_REQUEST' ? 400 : 500;
}
