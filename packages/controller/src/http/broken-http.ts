import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { DeployError } from '@sampan/shared/errors.ts';
import { errorEnvelope } from './answer-errors.ts';
import { MAX_HEADER_BYTES, REQUEST_TIMEOUT_MS } from './limits.ts';

/** Answers, in our envelope, what is no HTTP request, or none that came to its end; then closes the connection. */
export function answerBrokenHttp(error: { code: string }, socket: Socket): void {
  // Nobody can be answered over a connection whose TLS has not come about: plain HTTP is cut off there, too.
  const isHttp = /^(HPE|ERR_HTTP)_/.test(error.code);
  if (!isHttp || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, found } = faultOf(error.code);
  const expected = `${REQUEST_TIMEOUT_MS / 1000} 秒内发完的 HTTP 请求, 请求头不超过 ${MAX_HEADER_BYTES} 字节`;
  const refused = new DeployError('INVALID_REQUEST', { field: '请求', found, expected });
  const body = JSON.stringify({ ...errorEnvelope(refused), status_code: status });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Content-Type: application/json; charset=utf-8',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function faultOf(code: string): { status: number; found: string } {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, found: '未发完的请求' };
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431, found: '过大的请求头' };
  return { status: 400, found: `无法解析的内容 (${code})` };
}
