import type { ContentDir } from './content-dir.ts';
import { corrupt } from './corrupt.ts';
import { type Gunzip, peek } from './decode.ts';
import { RECOGNIZE_BYTES } from './recognize.ts';
import { TreeLog } from './tree-log.ts';
import { unpackFile } from './unpack-file.ts';
import type { Unpacked, UnpackOrder } from './unpack-order.ts';
import { unpackTar } from './unpack-tar.ts';
import { writeError } from './write-error.ts';

/** What is up to the process in which an artifact is unpacked. */
export interface UnpackPlace {
  /** Makes `content/`. */
  prepare: (order: UnpackOrder) => ContentDir;
  /** Told often how many entries stand; what it throws ends the unpacking. */
  onProgress: (entries: number) => void;
  /** By default piece by piece, on a thread of Node's own. */
  gunzip?: Gunzip;
}

/**
 * Unpacks an artifact from its bytes into `content/` and `tree.jsonl` of the staging directory. Writes nothing before the
 * first byte has come. Blocks while it writes.
 * @throws DeployError; then what stands there is of no use. What `onProgress` throws.
 */
export async function unpackArtifact(
  bytes: AsyncIterable<Buffer>,
  order: UnpackOrder,
  { prepare, onProgress, gunzip }: UnpackPlace,
): Promise<Unpacked> {
  const input = await peek(bytes, RECOGNIZE_BYTES);
  if (input.head.length === 0) throw corrupt('the file is empty');
  try {
    using log = new TreeLog(order.stagingDir, Buffer.byteLength(order.filename));
    using content = prepare(order);
    const unpack = order.kind === 'tar' ? unpackTar : unpackFile;
    return await unpack(input, { order, content, log, onProgress, gunzip });
  } catch (error) {
    throw writeError(error, { stagingDir: order.stagingDir, entry: '' });
  }
}
