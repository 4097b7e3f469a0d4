import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { TestAgentClient } from '../../helpers/agent-client.ts';
import { startLinkReader } from '../../helpers/link-reader.ts';
import { DEPLOYED } from '../harness/answer.ts';
import { standing } from '../harness/attempt.ts';
import { versionAt } from '../harness/invariants.ts';
import { type Package, packageWith } from '../harness/package.ts';
import type { Report } from '../harness/run-cases.ts';
import { World } from '../harness/world.ts';

/** What the reader says when it ends. */
interface Seen {
  looks: number;
  changes: number;
  releases: number;
  faults: string[];
}

/**
 * So many flips to and fro by a real agent, journal and all, while a process of its own resolves the link in a tight loop and
 * reads what lies behind it. The agent is called directly: a controller in between would only make the flips fewer a second.
 */
export async function flipUnderReader(flips: number): Promise<Report> {
  const world = await World.open();
  const client = new TestAgentClient(world.host);
  try {
    const versions = [world.next(readable), world.next(readable)];
    for (const made of versions) expect(await world.deploy(made)).toEqual(DEPLOYED);
    const reader = await startLinkReader<Seen>(world.base.dir, world.linkName);
    const target = { projectName: 'shop', linkName: 'web', language: 'php' };
    for (let n = 1; n <= flips; n += 1) {
      const { version } = versions[(n + 1) % 2] as Package;
      const { result } = await client.activate({ operationId: `flip-${n}`, target, version });
      expect(result.version).toBe(version);
      expect(result.unchanged).toBe(false);
    }
    const seen = await reader.stop();
    expect(seen.faults).toEqual([]);
    expect(seen.releases).toBe(2);
    expect(seen.looks).toBeGreaterThan(flips);
    // It saw many of the flips one by one, so it looked at about every instant of one.
    expect(seen.changes).toBeGreaterThan(flips / 4);
    expect(versionAt(world.base, world.linkName)).toBe(versions[(flips + 1) % 2]?.version);
    expect(await standing(world)).toEqual([]);
    return { outcome: `${flips.toLocaleString('en')} flips, 0 ENOENT`, invariants: 'I1, I2, I5' };
  } finally {
    client.close();
    await world.close();
  }
}

/** As the reader wants it: each file is ten lines of the digest of its version and path. */
function readable(version: string): Package {
  const files = Array.from({ length: 10 }, (_, n) => {
    const path = `src/${n}.txt`;
    return { path, body: `${createHash('sha256').update(`${version}${path}`).digest('hex')}\n`.repeat(10) };
  });
  return packageWith(version, [{ path: 'version.txt', body: version }, ...files]);
}
