import { once } from 'node:events';
import type { ServerWritableStream } from '@grpc/grpc-js';

/** Writes one message and waits while the reader is behind, so that a slow one costs a bounded number of bytes. */
export async function write<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  message: Response,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (!call.write(message)) await once(call, 'drain', { signal });
}
