import { errorText } from '@sampan/shared/error-text.ts';
import { DeployError, type ErrorCode } from '@sampan/shared/errors.ts';
import type { FastifyError, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { ControllerApp } from './controller-app.ts';
import { BODY } from './json-body.ts';
import { MAX_BODY_BYTES } from './limits.ts';

/** Answers every request that fails as the documented API answers: `{"status_code": …, "data": "…"}`, with that HTTP status. */
export function answerErrors(app: ControllerApp): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    sendError(error, request, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const allowed = METHODS.filter((method) => app.hasRoute({ method, url: path })).join(', ');
    if (allowed === '') throw new DeployError('ROUTE_NOT_FOUND', { method: request.method, path });
    reply.header('allow', allowed);
    throw new DeployError('METHOD_NOT_ALLOWED', { method: request.method, path, allowed });
  });
}

/** Answers one request with its failure. */
export function sendError(thrown: FastifyError | DeployError, request: FastifyRequest, reply: FastifyReply): void {
  const envelope = errorEnvelope(noteFailure(thrown, request, reply));
  void reply.code(envelope.status_code).send(envelope);
}

/** Logs a request's failure and sets what a client reads from the headers. Returns what is to be told, in whatever form. */
export function noteFailure(
  thrown: FastifyError | DeployError,
  request: FastifyRequest,
  reply: FastifyReply,
): DeployError {
  const error = asRequestError(thrown);
  if (statusOf(error.code) === 500) request.log.error({ err: error }, 'request failed');
  else request.log.info({ code: error.code, params: error.params }, 'request refused');
  reply.headers(headersOf(error));
  return error;
}

/** The envelope of a failure. */
export function errorEnvelope(error: DeployError): { status_code: number; data: string } {
  return { status_code: statusOf(error.code), data: errorText(error, 'zh') };
}

const CHALLENGE = 'Bearer realm="sampan"';
const METHODS: HTTPMethods[] = ['GET', 'POST'];

/** Fastify's own refusals become ours; an error that nobody foresaw is told to the log alone. */
function asRequestError(error: FastifyError | DeployError): DeployError {
  if (error instanceof DeployError) return error;
  if (error.statusCode === 413) return new DeployError('REQUEST_TOO_LARGE', { maxBytes: MAX_BODY_BYTES });
  const isClients = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
  if (!isClients) return new DeployError('INTERNAL', {}, { cause: error });
  const fault =
    error.code === 'FST_ERR_BAD_URL'
      ? { field: '地址', found: '无法解析的路径', expected: '正确编码的路径' }
      : { field: BODY, found: error.code, expected: 'JSON 对象' };
  return new DeployError('INVALID_REQUEST', fault, { cause: error });
}

/** What a client reads from the headers: how to authenticate (RFC 6750), and when to try again. */
function headersOf(error: DeployError): Record<string, string> {
  if (DeployError.is(error, 'TOKEN_MISSING')) return { 'www-authenticate': CHALLENGE };
  if (DeployError.is(error, 'TOKEN_INVALID', 'TOKEN_EXPIRED')) {
    return { 'www-authenticate': `${CHALLENGE}, error="invalid_token"` };
  }
  if (DeployError.is(error, 'TOO_MANY_FAILURES')) return { 'retry-after': String(error.params.seconds) };
  return {};
}

/** The HTTP status of a failure. */
export function statusOf(code: ErrorCode): number {
  switch (code) {
    case 'INVALID_REQUEST':
      return 400;
    case 'TOKEN_MISSING':
    case 'TOKEN_INVALID':
    case 'TOKEN_EXPIRED':
      return 401;
    case 'SCOPE_MISSING':
    case 'PROJECT_FORBIDDEN':
    case 'ROUTE_CLOSED':
    case 'ORIGIN_FORBIDDEN':
    case 'HOST_FORBIDDEN':
    case 'CLIENT_FORBIDDEN':
      return 403;
    case 'ROUTE_NOT_FOUND':
    case 'ROLLOUT_NOT_FOUND':
      return 404;
    case 'METHOD_NOT_ALLOWED':
      return 405;
    case 'ROLLOUT_STATE':
    case 'LINK_HELD':
      return 409;
    case 'IDEMPOTENCY_MISMATCH':
      return 422;
    case 'REQUEST_TOO_LARGE':
      return 413;
    case 'TOO_MANY_FAILURES':
      return 429;
    case 'CONTROLLER_DRAINING':
      return 503;
    default:
      return 500;
  }
}
