import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

/** What validated requests look like that mean a project. */
const named = z.union([
  z.object({ target: z.object({ projectName: z.string() }) }).transform(({ target }) => target.projectName),
  z.object({ projectName: z.string() }).transform(({ projectName }) => projectName),
]);

/** The project that a validated request means, read where its handler reads it. @throws where it means none. */
export function projectNamed(request: FastifyRequest): string {
  const isInBody = request.routeOptions.schema?.body !== undefined;
  return named.parse(isInBody ? request.body : request.query);
}
