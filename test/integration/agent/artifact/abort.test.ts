import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endOfArchive, file, tarGz } from '../../../helpers/archives.ts';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { type Staging, StagingGround } from '../../../helpers/staging-ground.ts';

let origin: Origin;
let ground: StagingGround;
beforeEach(async () => {
  origin = await startOrigin();
  ground = new StagingGround();
});
afterEach(() => origin.close());

const many = tarGz(...Array.from({ length: 20_000 }, (_, index) => file(`f${index}`, 'text')));
const why = new Error('nobody wants it any more');

it('does nothing where the signal was aborted before', async () => {
  const url = origin.serve('/a', many);
  await expect(ground.fetch({ url }, {}, AbortSignal.abort(why))).rejects.toBe(why);
  expect(origin.requests('/a')).toBe(0);
  expect(ground.staged).toEqual([]);
});

it.each([
  ['while it waits for an answer', { silent: true }],
  ['in the middle of the download', { body: many, stallAfter: 20_000 }],
])('ends its process and leaves nothing when it is aborted %s', async (_, answer) => {
  const abort = new AbortController();
  const url = origin.serve('/a', answer);
  const fetching = ground.fetch({ url }, {}, abort.signal);
  await Promise.all([origin.requested('/a', 1), ground.staging]);
  if ('body' in answer) await someFiles();
  abort.abort(why);
  await expect(fetching).rejects.toBe(why);
  await ground.assertClean();
});

it('ends a process that is stuck, and leaves nothing, when it is aborted', async () => {
  const abort = new AbortController();
  // More than all the buffers on the way hold.
  const url = origin.serve('/a.tar', Buffer.concat([file('a', Buffer.alloc(64 * 1024 * 1024)), endOfArchive]));
  const onProcess = async (staging: Staging) => {
    process.kill(staging.pid, 'SIGSTOP');
    ground.announce(staging);
  };
  const fetching = ground.fetch({ url, filename: 'zeus-1.tar', onProcess }, {}, abort.signal);
  let sent = -1;
  const stands = () => {
    const before = sent;
    sent = origin.sentBytes;
    return sent === before && sent > 1024 * 1024;
  };
  await expect.poll(stands, { interval: 100, timeout: 20_000 }).toBe(true);
  abort.abort(why);
  await expect(fetching).rejects.toBe(why);
  await ground.assertClean();
});

it('leaves nothing when it is aborted between two attempts', async () => {
  const abort = new AbortController();
  const url = origin.serve('/a', { status: 503, headers: { 'retry-after': '60' } });
  const fetching = ground.fetch({ url }, { download: { attempts: 4 } }, abort.signal);
  await Promise.all([origin.requested('/a', 1), ground.staging]);
  abort.abort(why);
  await expect(fetching).rejects.toBe(why);
  await ground.assertClean();
});

it('leaves nothing when whoever is told of the staging directory fails', async () => {
  const url = origin.serve('/a', many);
  const onProcess = async (staging: Staging) => {
    ground.announce(staging);
    throw why;
  };
  await expect(ground.fetch({ url, onProcess })).rejects.toBe(why);
  await ground.assertClean();
});

it('writes nothing before whoever is told of the staging directory has agreed', async () => {
  const url = origin.serve('/a', many);
  const seen: string[][] = [];
  const { promise: agreed, resolve: agree } = Promise.withResolvers<void>();
  const onProcess = async (staging: Staging) => {
    ground.announce(staging);
    await agreed;
    seen.push(readdirSync(staging.stagingDir));
  };
  const fetching = ground.unpack({ url, onProcess });
  await Promise.all([origin.requested('/a', 1), ground.staging]);
  agree();
  await fetching;
  expect(seen).toEqual([[]]);
});

it('says that the process died, and leaves nothing, when somebody kills it', async () => {
  const url = origin.serve('/a', { body: many, stallAfter: 20_000 });
  const fetching = ground.refusal({ url });
  const { pid } = await ground.staging;
  await someFiles();
  process.kill(pid, 'SIGKILL');
  expect(await fetching).toEqual({ code: 'INTERNAL', params: {} });
});

/** Resolves when a part of the archive stands in staging. */
async function someFiles(): Promise<void> {
  await expect.poll(() => filesStaged(), { timeout: 20_000, interval: 5 }).toBeGreaterThan(10);
}

/** How many entries stand in the staging directory now. */
function filesStaged(): number {
  const [id] = readdirSync(ground.stagingRoot);
  if (id === undefined) return 0;
  try {
    return readdirSync(join(ground.stagingRoot, id, 'content')).length;
  } catch {
    // It has not been made yet.
    return 0;
  }
}
