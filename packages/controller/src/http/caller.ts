import { DeployError } from '@sampan/shared/errors.ts';
import type { FastifyRequest } from 'fastify';
import type { Token } from '../auth/tokens.ts';

/** Whom the door let in. */
export interface Caller {
  /** As the audit trail calls it: `token ci`, `allow_ips`, `loopback`, `anybody`. */
  who: string;
  address: string;
  token?: Token;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined;
  }
}

/** For routes that learn only from what they find which project is meant. @throws DeployError PROJECT_FORBIDDEN. */
export function assertProject({ token }: Caller, project: string): void {
  if (!token?.projects || token.projects.includes(project)) return;
  throw new DeployError('PROJECT_FORBIDDEN', { project, allowed: token.projects.join(', ') });
}

/** Who called. @throws where nobody was let in, which the door does not let happen. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller) return request.caller;
  throw new Error('a request came past the door');
}
