import { versionOf } from '@sampan/shared/names.ts';
import type { ContentDir } from './content-dir.ts';
import { decode, type Gunzip, type Peeked } from './decode.ts';
import { finishTree } from './finish-tree.ts';
import { Meter } from './meter.ts';
import { TarReader } from './tar-reader.ts';
import type { TreeLog } from './tree-log.ts';
import { TreeWriter } from './tree-writer.ts';
import type { Unpacked, UnpackOrder } from './unpack-order.ts';
import { writeError } from './write-error.ts';

/** Where an unpacking writes and what it tells of itself. */
export interface Unpacking {
  order: UnpackOrder;
  content: ContentDir;
  log: TreeLog;
  /** Told often how many entries stand. */
  onProgress: (entries: number) => void;
  gunzip: Gunzip | undefined;
}

/** Unpacks a tar or tar.gz. @throws DeployError; then what stands there is of no use. */
export async function unpackTar(input: Peeked, unpacking: Unpacking): Promise<Unpacked> {
  const { order, content, log, onProgress, gunzip } = unpacking;
  const meter = new Meter(order.limits);
  using writer = new TreeWriter({ order, content, log, meter });
  const { tree } = writer;
  const reader = new TarReader(writer);
  try {
    const sink = (bytes: Buffer, compressed: number) => {
      meter.addBytes(bytes.length, compressed);
      reader.write(bytes);
      onProgress(tree.entries);
    };
    const { gzip } = await decode(input, sink, gunzip);
    reader.end();
    const root = finishTree(tree, versionOf(order.filename), { content, log, order });
    return { entries: tree.entries, root, complete: gzip || reader.ended };
  } catch (error) {
    throw writeError(error, { stagingDir: order.stagingDir, entry: tree.current });
  }
}
