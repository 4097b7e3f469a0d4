import { join } from 'node:path';
import { expect } from 'vitest';
import { DEPLOYED } from '../harness/answer.ts';
import { attempt, outcomeOf, violations } from '../harness/attempt.ts';
import { failAtEachCall, type PointResult } from '../harness/each-call.ts';
import { type Package, packageOf } from '../harness/package.ts';
import { cutPowerAtPoints } from '../harness/power-cuts.ts';
import { type CaseTable, type Report, tally } from '../harness/run-cases.ts';
import { sequences } from '../harness/sequences.ts';
import { makeReadOnly, mountSmallDisk, type SmallDisk } from '../harness/small-disk.ts';
import { type Call, failAll, isSync } from '../harness/strace.ts';
import { World } from '../harness/world.ts';

const MIB = 1024 ** 2;

export const disk: CaseTable<'disk', void> = {
  'full mid-unpack': {
    speed: 'slow',
    // What it unpacks to is known to nobody before: its bytes are few.
    run: () =>
      onFullDisks({
        made: (version) => packageOf(version, { files: 20, bytesEach: 20_000, repeats: true }),
        levels: [0, 4, 8, 12, 16, 24, 32, 64, 128, 192, 256, 384, 416, 432, 448, 460].map((kib) => kib * 1024),
        fill: (small, bytes) => small.leaveBytes(bytes),
      }),
  },
  'out of inodes': {
    speed: 'slow',
    run: () =>
      onFullDisks({
        made: (version) => packageOf(version, { files: 60 }),
        levels: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 20, 40, 60, 70, 75],
        fill: (small, inodes) => small.leaveInodes(inodes),
      }),
  },
  'EIO on fsync': {
    speed: 'slow',
    async run() {
      const byThread = await failingSyncfs('the thread that has unpacked it');
      const byProcess = await failingSyncfs('sync of coreutils');
      const { outcome, points = [] } = await failingCalls(sequences, ['EIO'], isSync);
      return { outcome: `${outcome}; syncfs: ${byThread}, ${byProcess}`, points };
    },
  },
  'read-only': {
    speed: 'slow',
    async run() {
      const world = await World.open();
      try {
        const outcomes = [];
        for (const dir of [world.base.dir, join(world.home.root, 'state')]) {
          const undo = makeReadOnly(dir);
          const tried = await attempt(world, world.next()).finally(undo);
          expect(await violations(world, tried)).toEqual([]);
          outcomes.push(outcomeOf(world, tried));
        }
        expect(outcomes).toEqual([
          '磁盘错误: mkdir <base>/.deploy/.staging/<id> (EROFS)',
          '磁盘错误: journal <root>/state/operations/<id>.jsonl (EROFS)',
        ]);
        return { outcome: outcomes.join(', ') };
      } finally {
        await world.close();
      }
    },
  },
  'power cut at 50 points': {
    speed: 'slow',
    async run() {
      const cuts = await cutPowerAtPoints({ seed: 7, points: 50 });
      expect(cuts.filter(({ faults }) => faults.length > 0)).toEqual([]);
      expect(cuts).toHaveLength(50);
      const outcomes = [...new Set(cuts.map(({ outcome }) => outcome))].sort();
      expect(outcomes).toEqual(['the release before', 'the release that was being deployed']);
      return { outcome: `told of each deploy: ${DEPLOYED.data}; after a cut ${outcomes.join(', or ')}` };
    },
  },
  'an error at every rename/fsync/symlink call, one by one': {
    speed: 'slow',
    run: () => failingCalls(sequences, ['ENOSPC', 'EROFS', 'EIO'], (call) => !isSync(call)),
  },
};

interface FullDisks {
  made: (version: string) => Package;
  /** How much is left, from nothing to nearly enough. */
  levels: readonly number[];
  fill: (small: SmallDisk, left: number) => void;
}

/** A deploy at each level; what fails leaves the disk as it was. */
async function onFullDisks({ made, levels, fill }: FullDisks): Promise<Report> {
  const small = mountSmallDisk({ bytes: 32 * MIB, inodes: 4000 });
  try {
    const world = await World.open({ root: join(small.dir, 'root'), agent: { releases: { keep: 10_000 } } });
    try {
      const outcomes: string[] = [];
      for (const level of levels) {
        fill(small, level);
        const before = small.free();
        const tried = await attempt(world, world.next(made));
        const outcome = outcomeOf(world, tried);
        outcomes.push(outcome.replaceAll(/\d+(\.\d+)? (B|KiB|MiB)/g, '<n> $2'));
        const faults = await violations(world, tried, {
          mend: () => small.relieve(),
          ...diskIsAsBefore(small, before, outcome),
        });
        expect({ level, outcome, faults }).toEqual({ level, outcome: expect.stringMatching(NO_SPACE), faults: [] });
      }
      return { outcome: tally(outcomes) };
    } finally {
      await world.close();
    }
  } finally {
    small.remove();
  }
}

const NO_SPACE = /^(磁盘空间不足|磁盘 inode 不足|部署成功)/;

/** The journal grows by a line or two, where there is room for them. */
const JOURNAL = { bytes: 3 * 4096, inodes: 1 };

function diskIsAsBefore(small: SmallDisk, before: ReturnType<SmallDisk['free']>, outcome: string) {
  const check = () => {
    const { bytes, inodes } = small.free();
    if (outcome === DEPLOYED.data) return [];
    return before.bytes - bytes > JOURNAL.bytes || before.inodes - inodes > JOURNAL.inodes
      ? [`of ${JSON.stringify(before)} ${JSON.stringify({ bytes, inodes })} are left`]
      : [];
  };
  return { before: check };
}

/** By what a whole release is made durable before anything says that it is there, and how that tells of an error. */
const SYNCED_BY = {
  'the thread that has unpacked it': { bare: false, tells: /^磁盘错误: syncfs <base>\/\.deploy\/\.staging \(EIO\)$/ },
  'sync of coreutils': {
    // Nobody knows how big the first release will be, so it is a process that unpacks it.
    bare: true,
    tells: /^磁盘错误: syncfs <base>\/\.deploy\/\.staging \(exit 1 .*Input\/output error\)$/,
  },
};

async function failingSyncfs(by: keyof typeof SYNCED_BY): Promise<string> {
  const { bare, tells } = SYNCED_BY[by];
  const world = await World.open({ bare });
  try {
    const tracing = await failAll(world.agent.pid, 'syncfs', 'EIO');
    const tried = await attempt(world, world.next());
    expect((await tracing.detach()).filter((line) => line.includes('(INJECTED)'))).toHaveLength(1);
    const outcome = outcomeOf(world, tried);
    expect(outcome).toMatch(tells);
    expect(await violations(world, tried)).toEqual([]);
    return outcome;
  } finally {
    await world.close();
  }
}

async function failingCalls(
  all: typeof sequences,
  errors: readonly string[],
  calls: (call: Call) => boolean,
): Promise<Report> {
  const results: PointResult[] = [];
  for (const sequence of all) {
    for (const error of errors) {
      for (const result of await failAtEachCall(sequence, error, { calls, tells: tellsOfDisk })) {
        results.push({ ...result, point: `${sequence.name}: ${result.point}` });
      }
    }
  }
  expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
  const kinds = results.map(({ outcome }) => outcome.split(/[:;,]/)[0] ?? '');
  return { outcome: tally(kinds), points: results };
}

/** What may be told of a disk that fails at one call; whether it is true is held against the disk. */
function tellsOfDisk(told: string, { name }: Call): boolean {
  // A removal that fails decides nothing.
  if (/^(unlink|rmdir)/.test(name)) return told === DEPLOYED.data;
  if (told === DEPLOYED.data || told === '回滚成功!') return true;
  return (
    /^磁盘(空间不足|错误): [^;]*$/.test(told) ||
    /^磁盘(空间不足|错误): .*; 已恢复到原版本, 当前版本 <old>$/.test(told) ||
    /^状态未知: /.test(told) ||
    /^钩子执行失败: post_activate exit 1; 未恢复, 当前版本 (<new>|<old>), 恢复时出错: (磁盘|状态未知)/.test(told)
  );
}
