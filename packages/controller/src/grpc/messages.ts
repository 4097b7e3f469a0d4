import { GrpcFailure } from './grpc-status.ts';

/** In front of each message: whether it is compressed, and its length. */
const PREFIX_BYTES = 5;
/** What gRPC implementations take by default. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const MAX_PARTS = 256;

/** A message as it travels. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** Puts messages together from what arrives, however that was cut. */
export class MessageReader {
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Before so many are there, no message is whole. */
  #neededBytes = PREFIX_BYTES;

  /**
   * Tells each message that is whole with this chunk.
   * @throws GrpcFailure RESOURCE_EXHAUSTED for one of more than 4 MiB, INTERNAL for one that is compressed, which was not asked for.
   */
  push(chunk: Buffer, tell: (message: Buffer) => void): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#neededBytes) {
      // A megabyte may come in a million chunks, of which each costs more than its byte.
      if (this.#parts.length === MAX_PARTS) this.#parts = [Buffer.concat(this.#parts)];
      return;
    }
    let rest = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    let end = endOfFirst(rest);
    while (rest.length >= end) {
      tell(rest.subarray(PREFIX_BYTES, end));
      rest = rest.subarray(end);
      end = endOfFirst(rest);
    }
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    this.#neededBytes = end;
  }

  /** Whether a message was begun that has not come whole. */
  get isWithin(): boolean {
    return this.#bytes > 0;
  }
}

/** Where the message ends that begins here; where its prefix does, while that has not come whole. */
function endOfFirst(bytes: Buffer): number {
  if (bytes.length < PREFIX_BYTES) return PREFIX_BYTES;
  if (bytes[0] !== 0) throw new GrpcFailure('INTERNAL', 'a message came compressed, which was not asked for');
  const length = bytes.readUInt32BE(1);
  if (length > MAX_MESSAGE_BYTES) throw new GrpcFailure('RESOURCE_EXHAUSTED', `a message of ${length} bytes`);
  return PREFIX_BYTES + length;
}
