import { constants, type IncomingHttpHeaders } from 'node:http2';
import { GrpcFailure, type StatusName, statusName } from './grpc-status.ts';

/** For an answer without a gRPC status, by its HTTP status. Source: https://grpc.github.io/grpc/core/md_doc_http-grpc-status-mapping.html */
const BY_HTTP_STATUS: Readonly<Record<number, StatusName>> = {
  400: 'INTERNAL',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'UNIMPLEMENTED',
  429: 'UNAVAILABLE',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
};

/** For a stream that was reset, by the HTTP/2 error. Source: https://grpc.github.io/grpc/core/md_doc__p_r_o_t_o_c_o_l-_h_t_t_p2.html */
const BY_RESET: Readonly<Record<number, StatusName>> = {
  [constants.NGHTTP2_REFUSED_STREAM]: 'UNAVAILABLE',
  [constants.NGHTTP2_CANCEL]: 'CANCELLED',
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: 'RESOURCE_EXHAUSTED',
  [constants.NGHTTP2_INADEQUATE_SECURITY]: 'PERMISSION_DENIED',
};

/** What the status of a call says, from its trailers, or from headers that are also its end. */
export function statusOf(headers: IncomingHttpHeaders): GrpcFailure | 'OK' | undefined {
  const text = headers['grpc-status'];
  if (typeof text !== 'string') return undefined;
  if (text === '0') return 'OK';
  return new GrpcFailure(statusName(text), decoded(headers['grpc-message']), { metadata: headers });
}

/** Of an HTTP status that no gRPC answer has; undefined for the one that it has. */
export function failureOfHttp(code: number | undefined): GrpcFailure | undefined {
  if (code === constants.HTTP_STATUS_OK) return undefined;
  return new GrpcFailure(BY_HTTP_STATUS[code ?? 0] ?? 'UNKNOWN', `HTTP ${code}`);
}

/** Of a stream that ended without a status. */
export function failureOfReset(code: number, cause: unknown): GrpcFailure {
  return new GrpcFailure(BY_RESET[code] ?? 'INTERNAL', `the stream ended with HTTP/2 error ${code}`, { cause });
}

/** Percent-encoded; one that is broken is shown as it came. */
function decoded(message: string | string[] | undefined): string {
  const text = String(message ?? '');
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
