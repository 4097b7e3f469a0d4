import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { MeasuredParts } from '../bundle/agent-bundle.ts';
import * as source from '../bundle/measured-parts.ts';
import { paired } from '../measure/paired.ts';
import { median, medianRatio, quantile } from '../measure/statistics.ts';
import { against, figure, table } from '../measure/table.ts';
import { timed } from '../measure/timed.ts';
import type { BenchPackage } from '../packages/bench-packages.ts';
import { runProgram } from '../processes/run-program.ts';

/** The sync after it, as a share of the unpack. */
const SYNC_AIM = 0.5;

interface Times {
  unpackMs: number;
  syncMs: number;
}

/** One package: medians in milliseconds, ratios as medians of the ratios of each round. */
export interface UnpackSpeed {
  package: string;
  about: string;
  compressedMib: number;
  rounds: number;
  aim: number;
  curlTarMs: number;
  bundledMs: number;
  sourceMs: number;
  bundledRatio: number;
  /** Between these lie the ratios of half of the rounds. */
  bundledRatioQuartiles: [number, number];
  sourceRatio: number;
  syncAfterCurlTarMs: number;
  syncAfterBundledMs: number;
  /** The sync after ours, as a share of our unpack. */
  syncShare: number;
}

/** Download and unpack of each package: `curl | tar` against fetchArtifact, which also computes the sha256. */
export async function measureUnpackSpeed(bench: Bench): Promise<UnpackSpeed[]> {
  const results: UnpackSpeed[] = [];
  for (const one of bench.packages) results.push(await measureOne(bench, one));
  return results;
}

export function showUnpackSpeed(results: readonly UnpackSpeed[]): string {
  const rows = results.map((one) => [
    `${one.about}, ${figure(one.compressedMib)} MiB gz`,
    figure(one.curlTarMs),
    figure(one.bundledMs),
    against(one.bundledRatio, one.aim),
    one.bundledRatioQuartiles.map((ratio) => figure(ratio)).join('–'),
    figure(one.sourceRatio),
    figure(one.syncAfterCurlTarMs),
    figure(one.syncAfterBundledMs),
    against(one.syncShare, SYNC_AIM),
  ]);
  const head = [
    'download and unpack, ms',
    'curl|tar',
    'sampan',
    'ratio',
    'middle half',
    'from source',
    'sync after tar',
    'sync after ours',
    'sync/unpack',
  ];
  return `${table(head, rows)}\n  ${results[0]?.rounds} rounds each; sampan computes the sha256 as well, curl | tar does not; sync is \`sync -f\`, not part of the other figures.`;
}

async function measureOne(bench: Bench, one: BenchPackage): Promise<UnpackSpeed> {
  const { quick, signal } = bench;
  const dir = join(bench.dir, 'staging');
  const url = `${bench.origin.url}/${one.filename}`;
  const unpackers = {
    curlTar: (into: string) => runProgram(['sh', '-c', `curl -s '${url}' | tar -xz -C '${into}'`], signal),
    bundled: (into: string) => fetchWith(bench.bundle.parts, { url, filename: one.filename, into }, signal),
    source: (into: string) => fetchWith(source, { url, filename: one.filename, into }, signal),
  };
  const entries = new Set<number>();
  const measure = (unpack: (into: string) => Promise<unknown>) => async (): Promise<Times> => {
    await mkdir(dir, { recursive: true });
    const unpackMs = await timed(() => unpack(dir));
    const syncMs = await timed(() => runProgram(['sync', '-f', dir], signal));
    entries.add(await filesBelow(dir));
    await rm(dir, { recursive: true });
    // What removing left to be written must not slow the next one down.
    await runProgram(['sync', '-f', bench.dir], signal);
    return { unpackMs, syncMs };
  };
  const times = await paired(
    {
      curlTar: measure(unpackers.curlTar),
      bundled: measure(unpackers.bundled),
      source: measure(unpackers.source),
    },
    quick ? { warmups: 0, rounds: 1 } : { warmups: 1, rounds: 9 },
    signal,
  );
  if (entries.size !== 1) throw new Error(`${one.name}: not everything was unpacked: ${[...entries]} files`);
  return summary(one, times);
}

function summary(one: BenchPackage, times: Record<'curlTar' | 'bundled' | 'source', Times[]>): UnpackSpeed {
  const unpack = (name: keyof typeof times) => times[name].map(({ unpackMs }) => unpackMs);
  const sync = (name: keyof typeof times) => times[name].map(({ syncMs }) => syncMs);
  const ratios = unpack('bundled').map((ms, round) => ms / (unpack('curlTar')[round] ?? Number.NaN));
  return {
    package: one.name,
    about: one.about,
    compressedMib: one.compressedMib,
    rounds: ratios.length,
    aim: one.aim,
    curlTarMs: median(unpack('curlTar')),
    bundledMs: median(unpack('bundled')),
    sourceMs: median(unpack('source')),
    bundledRatio: median(ratios),
    bundledRatioQuartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    sourceRatio: medianRatio(unpack('source'), unpack('curlTar')),
    syncAfterCurlTarMs: median(sync('curlTar')),
    syncAfterBundledMs: median(sync('bundled')),
    syncShare: medianRatio(sync('bundled'), unpack('bundled')),
  };
}

async function fetchWith(
  { fetchArtifact, agentConfigSchema }: MeasuredParts,
  { url, filename, into }: { url: string; filename: string; into: string },
  signal: AbortSignal,
): Promise<void> {
  const { download, unpack } = agentConfigSchema.parse({});
  const fetched = await fetchArtifact(
    {
      url,
      filename,
      stagingRoot: into,
      sha256: undefined,
      ifNoneMatch: undefined,
      expectedBytes: undefined,
      owner: undefined,
      allowLinksTo: [],
      onProgress: () => undefined,
      onProcess: async () => undefined,
    },
    { download, unpack },
    signal,
  );
  if (fetched.kind !== 'unpacked') throw new Error(`expected to unpack ${url}, got ${fetched.kind}`);
}

/** Files and links, our own tree file left out. */
async function filesBelow(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory() && entry.name !== 'tree.jsonl').length;
}
