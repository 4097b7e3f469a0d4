import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SMALL_BYTES, SmallUnpacker } from '@sampan/agent/artifact/small-unpacker.ts';
import { UnpackProcess } from '@sampan/agent/artifact/unpack-process.ts';
import { UnpackThread } from '@sampan/agent/artifact/unpack-thread.ts';
import type { Unpacker } from '@sampan/agent/artifact/unpacker.ts';
import { agentConfigSchema } from '@sampan/agent/config.ts';
import { startTimeOf } from '@sampan/agent/host/kill-process.ts';
import type { UnpackOrder } from '@sampan/agent/unpack/unpack-order.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directory, file, hardLink, symlink, tar, tarGz } from '../../../helpers/archives.ts';
import { openBelow } from '../../../helpers/open-descriptors.ts';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { readTree, type TreeEntry } from '../../../helpers/read-tree.ts';
import { requires } from '../../../helpers/requires.ts';
import { StagingGround, type Unpacked } from '../../../helpers/staging-ground.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const SMALL = 1;

/** Unpacks what comes on its stdin, as an agent does. */
const UNPACK = `
  import { readFileSync } from 'node:fs';
  import { SmallUnpacker } from '@sampan/agent/artifact/small-unpacker.ts';
  import { UnpackThread } from '@sampan/agent/artifact/unpack-thread.ts';
  const archive = readFileSync(0);
  const parts = { thread: new UnpackThread(), totalBytes: archive.length, startProcess: () => process.exit(3) };
  const unpacker = new SmallUnpacker(JSON.parse(process.argv[1]), parts);
  await unpacker.write(archive);
  await unpacker.finish();
`;

let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(() => origin.close());

const honest = tarGz(directory('d'), file('d/f', 'text', { mtime: 1_600_000_000 }), symlink('l', 'd'));
const noise = Buffer.alloc(2 * SMALL_BYTES, 'x');

describe('a process of its own is started', () => {
  const parts = (count: number, body: Buffer | string) =>
    Array.from({ length: count }, (_, index) => file(`f${index}`, body));
  const cases: Record<string, { bytes: Buffer; expectedBytes: number | undefined; processes: number }> = {
    'for nothing that is small and was expected to be': { bytes: honest, expectedBytes: SMALL, processes: 0 },
    'at once where nobody knows how big it will be': { bytes: honest, expectedBytes: undefined, processes: 1 },
    'at once where the one before was big': { bytes: honest, expectedBytes: SMALL_BYTES + 1, processes: 1 },
    'for what is bigger than was expected': { bytes: tar(file('big', noise)), expectedBytes: SMALL, processes: 1 },
    'for what takes more room than the agent gives it': {
      bytes: tarGz(...parts(5, noise)),
      expectedBytes: SMALL,
      processes: 1,
    },
    'for more entries than are written in no time': {
      bytes: tarGz(...parts(1001, '')),
      expectedBytes: SMALL,
      processes: 1,
    },
  };
  it.each(Object.entries(cases))('%s', async (_, { bytes, expectedBytes, processes }) => {
    const ground = new StagingGround(expectedBytes);
    const { root } = await ground.unpack({ url: origin.serve('/a', bytes) });
    expect(readdirSync(root)).not.toEqual([]);
    expect(ground.staged).toHaveLength(processes);
  });

  it('for what an origin sends without its length', async () => {
    const ground = new StagingGround(SMALL);
    await ground.unpack({ url: origin.serve('/a', { body: honest, framing: 'chunked' }) });
    expect(ground.staged).toHaveLength(1);
  });

  it('for the bigger file that stands there when an answer without a byte is asked for again', async () => {
    const ground = new StagingGround(SMALL);
    const url = origin.serve('/a', { body: honest, breakAfter: 0 }, { body: tar(file('big', noise)) });
    const { root } = await ground.unpack({ url }, { download: { attempts: 2 } });
    expect(readdirSync(root)).toEqual(['big']);
    expect(ground.staged).toHaveLength(1);
  });
});

describe("unpacked by a thread of the agent's, an artifact", () => {
  const owner = { uid: 65534, gid: 65533 };
  // So much that it takes several turns.
  const slow = tarGz(...Array.from({ length: 900 }, (_, index) => file(`f${index}`, Buffer.alloc(7000, 'x'))));

  it.runIf(requires('root'))('is closed to everybody until all of it stands, also to its owner', async () => {
    const ground = new StagingGround(SMALL);
    const fetching = ground.unpack({ url: origin.serve('/a', slow), owner });
    const content = await contentDirOf(ground);
    const { mode, uid } = lstatSync(content);
    expect({ mode: mode & 0o777, uid, whole: readdirSync(content).length === 900 }).toEqual({
      mode: 0o700,
      uid: process.getuid?.(),
      whole: false,
    });
    await fetching;
    const after = lstatSync(content);
    expect({ mode: after.mode & 0o777, uid: after.uid, gid: after.gid }).toEqual({ mode: 0o755, ...owner });
  });

  it('leaves nothing when it is aborted in the middle', async () => {
    const ground = new StagingGround(SMALL);
    const abort = new AbortController();
    const why = new Error('nobody wants it any more');
    const fetching = ground.fetch({ url: origin.serve('/a', slow) }, {}, abort.signal);
    const content = await contentDirOf(ground);
    expect(readdirSync(content).length).toBeLessThan(900);
    abort.abort(why);
    await expect(fetching).rejects.toBe(why);
    await ground.assertClean();
    expect(ground.staged).toEqual([]);
  });

  it('is not gone on with once its unpacking is ended', async () => {
    const { ground, stagingDir, unpacker } = await startSmall(slow, async () => expect.fail('a process was started'));
    const finishing = unpacker.finish();
    const killed = contentDirOf(ground).then(() => unpacker.kill());
    await expect(finishing).rejects.toMatchObject({ code: 'INTERNAL' });
    await killed;
    expect(readdirSync(stagingDir)).toEqual([]);
  });

  it('is ended with the process that it was given to, though that takes nothing', async () => {
    const stopped = Promise.withResolvers<number>();
    const { unpacker } = await startSmall(randomBytes(SMALL_BYTES), async (order) => {
      const child = await UnpackProcess.start(order);
      process.kill(child.pid, 'SIGSTOP');
      const write = child.write.bind(child);
      return Object.assign(child, {
        write: (bytes: Buffer) => {
          stopped.resolve(child.pid);
          return write(bytes);
        },
      });
    });
    const finishing = unpacker.finish().catch(() => 'ended');
    const pid = await stopped.promise;
    await unpacker.kill();
    expect(await finishing).toBe('ended');
    expect(await startTimeOf(pid)).toBeUndefined();
  });

  it('is written where it was begun, whatever is put in place of the directories above', async () => {
    const ground = new StagingGround(SMALL);
    const fetching = ground.fetch({ url: origin.serve('/a', slow) }).catch(() => undefined);
    const content = await contentDirOf(ground);
    renameSync(ground.stagingRoot, `${ground.stagingRoot}-moved`);
    mkdirSync(join(content, '..'), { recursive: true });
    symlinkSync(join(ground.root, 'outside'), content);
    await fetching;
    expect(readdirSync(join(ground.root, 'outside'))).toEqual(['secret']);
  });

  it('has the modes that it says, whatever the umask of the agent', () => {
    const stagingDir = tempDir();
    const archive = tar(
      directory('d', { mode: 0o755 }),
      file('d/f', 'text', { mode: 0o644 }),
      file('x', '', { mode: 0o755 }),
    );
    const argv = ['--input-type=module', '-e', UNPACK, JSON.stringify(orderFor(stagingDir))];
    execFileSync('sh', ['-c', 'umask 077; exec "$0" "$@"', process.execPath, ...argv], { input: archive });
    const modes = ['', 'd', 'd/f', 'x'].map((name) =>
      (lstatSync(join(stagingDir, 'content', name)).mode & 0o7777).toString(8),
    );
    expect(modes).toEqual(['755', '755', '644', '755']);
  });

  it.each([
    ['goes through', honest],
    ['is given up', tarGz(file('a'), file('../x'))],
    ['is given up within a file', tar(file('a', Buffer.alloc(5000))).subarray(0, 2048)],
  ])('holds no file open once it %s', async (_, bytes) => {
    const ground = new StagingGround(SMALL);
    await ground.fetch({ url: origin.serve('/a', bytes), filename: 'zeus-1.tar' }).catch(() => undefined);
    expect(openBelow(ground.root)).toEqual([]);
  });

  it('becomes what it becomes in a process of its own, or is refused for the same reason', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEntry, { minLength: 1, maxLength: 12 }), async (entries) => {
        const url = origin.serve('/a', tarGz(...entries));
        expect(await outcomeOf(url, SMALL)).toEqual(await outcomeOf(url, undefined));
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

const path = fc.constantFrom('a', 'b', 'a/b', 'a/b/c', 'a/c', './', 'zeus-1', 'zeus-1/a', '../a', '/a');
const mode = fc.constantFrom(0, 0o644, 0o755, 0o4711, 0o777);
const mtime = fc.constantFrom(0, 1_600_000_000);
const anyEntry = fc.oneof(
  fc
    .tuple(path, fc.string({ maxLength: 600 }), mode, mtime)
    .map(([name, text, mode, mtime]) => file(name, text, { mode, mtime })),
  fc.tuple(path, mode, mtime).map(([name, mode, mtime]) => directory(name, { mode, mtime })),
  fc.tuple(path, path).map(([name, target]) => symlink(name, target, { mtime: 1_500_000_000 })),
  fc.tuple(path, path).map(([name, target]) => hardLink(name, target)),
);

/** All that can be told of one artifact, less where and when it was. */
async function outcomeOf(url: string, expectedBytes: number | undefined): Promise<unknown> {
  const ground = new StagingGround(expectedBytes);
  const fetched = await ground
    .fetch({ url })
    .catch((error: unknown) => error as Error & { code?: string; params?: unknown });
  if (fetched instanceof Error) {
    await ground.assertClean();
    return { code: fetched.code, params: fetched.params };
  }
  const { root, contentDir, treeFile, ...rest } = fetched as Unpacked;
  const tree = Object.fromEntries(readTree(root));
  return {
    tree: Object.fromEntries(Object.entries(tree).map(([path, entry]) => [path, withoutNow(entry)])),
    root: root.slice(contentDir.length),
    lines: readFileSync(treeFile, 'utf8'),
    sha256: rest.sha256,
    entries: rest.entries,
  };
}

function withoutNow(entry: TreeEntry): TreeEntry {
  // No entry said it: the time at which it was made.
  return entry.mtime > 1_700_000_000 ? { ...entry, mtime: Number.POSITIVE_INFINITY } : entry;
}

function orderFor(stagingDir: string): UnpackOrder {
  const { unpack: limits } = agentConfigSchema.parse({});
  return { stagingDir, filename: 'zeus-1.tar', kind: 'tar', owner: null, allowLinksTo: [], limits };
}

/** An unpacker that has all of an artifact. */
async function startSmall(archive: Buffer, startProcess: (order: UnpackOrder) => Promise<Unpacker>) {
  const ground = new StagingGround();
  const stagingDir = join(ground.stagingRoot, 'own');
  mkdirSync(stagingDir);
  const order = orderFor(stagingDir);
  const parts = { thread: new UnpackThread(), totalBytes: archive.length, startProcess: () => startProcess(order) };
  const unpacker = new SmallUnpacker(order, parts);
  await unpacker.write(archive);
  return { ground, stagingDir, unpacker };
}

/** `content/` of the staging directory that appears, when some of the artifact stands in it. */
async function contentDirOf(ground: StagingGround): Promise<string> {
  for (;;) {
    for (const id of readdirSync(ground.stagingRoot)) {
      const content = join(ground.stagingRoot, id, 'content');
      if (existsSync(content) && readdirSync(content).length > 0) return content;
    }
    await nextTurn();
  }
}
