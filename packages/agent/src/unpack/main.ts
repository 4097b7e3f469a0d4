import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { asDeployError } from '@sampan/shared/errors.ts';
import { toWire } from '@sampan/shared/to-wire.ts';
import { enterContent } from './content-dir.ts';
import { unpackArtifact } from './unpack-artifact.ts';
import type { Unpacked, UnpackOrder, UnpackReport } from './unpack-order.ts';

/**
 * The unpacker: a process of its own for each artifact (but for small ones that are in order), because it reads hostile bytes, blocks while it writes, can be
 * ended at any time by SIGKILL, and gives all its memory back. Its argument is an UnpackOrder, its stdin the artifact; it
 * writes nothing before the first byte has come. It reports on descriptor 3 and decides nothing: whether all bytes came,
 * and whether they are the right ones, only its parent knows. When the parent dies, stdin ends, and so does the process.
 */
const REPORT_FD = 3;
const REPORT_EVERY_MS = 100;

try {
  report({ event: 'done', unpacked: await run() });
} catch (error) {
  const known = asDeployError(error);
  // What is not of our set is a bug: its text goes to the agent's log.
  if (known.code === 'INTERNAL') console.error(error);
  report({ event: 'failed', error: toWire(known) });
} finally {
  // All is said and written. Leaving as Node does has hung here once in 200 times (nodejs/node#54918), and takes longer.
  process.kill(process.pid, 'SIGKILL');
}

async function run(): Promise<Unpacked> {
  const order = JSON.parse(process.argv[2] ?? '') as UnpackOrder;
  // For the next process; what Node writes at its exit would never be written here. Nothing without NODE_COMPILE_CACHE.
  flushCompileCache();
  return await unpackArtifact(process.stdin, order, { prepare: enterContent, onProgress: progressReporter() });
}

function report(message: UnpackReport): void {
  writeSync(REPORT_FD, `${JSON.stringify(message)}\n`);
}

function progressReporter(): (entries: number) => void {
  let last = performance.now();
  return (entries) => {
    const now = performance.now();
    if (now - last < REPORT_EVERY_MS) return;
    last = now;
    report({ event: 'progress', entries });
  };
}
