import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tarball } from '../../helpers/archives.ts';
import { startLinkReader } from '../../helpers/link-reader.ts';
import { startSystem, type TestSystem } from '../../helpers/start-system.ts';

const OPERATIONS = 1000;
/** Every so often the release is a new one, that has to be downloaded, unpacked and, ten later, pruned. */
const NEW_RELEASE_EVERY = 20;

describe('a reader that resolves the link in a tight loop', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  it(`sees only whole releases, and never none, through ${OPERATIONS} deploys and rollbacks`, async () => {
    expect(await system.deploy(release(0))).toEqual(system.deployed);
    const reader = await startLinkReader<Told>(system.agent.serviceDir, 'web');
    let newest = 0;
    let current = 0;
    for (let n = 1; n <= OPERATIONS; n += 1) {
      const isNew = n % NEW_RELEASE_EVERY === 1;
      if (isNew) newest += 1;
      // In between: there and back among the two newest, by turns a rollback and a deploy of what stands there already.
      current = isNew || current !== newest ? newest : newest - 1;
      const isRollback = !isNew && n % 2 === 0;
      const body = isRollback ? await system.rollback(release(current)) : await system.deploy(release(current));
      expect(body).toEqual(isRollback ? system.rolledBack : system.deployed);
    }
    expect(await system.version(release(newest))).toBe(`web-${current}`);
    const told = await reader.stop();
    expect(told.faults).toEqual([]);
    expect(told.looks).toBeGreaterThan(OPERATIONS);
    // It looked often enough to see many of the flips one by one: nearly all, on a machine with nothing else to do.
    expect(told.changes).toBeGreaterThan(OPERATIONS / 4);
    expect(told.releases).toBeGreaterThan(OPERATIONS / NEW_RELEASE_EVERY / 4);
  }, 180_000);
});

/** The sha256 lets the agent know a release that stands there already. */
function release(number: number) {
  const version = String(number);
  const files = Object.fromEntries(
    Array.from({ length: 10 }, (_, n) => {
      const path = `src/${n}.txt`;
      return [path, `${createHash('sha256').update(`${version}${path}`).digest('hex')}\n`.repeat(10)];
    }),
  );
  const bytes = tarball({ 'version.txt': version, ...files });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { language: 'php', link_name: 'web', filename: `web-${version}.tar.gz`, bytes, sha256 };
}

interface Told {
  looks: number;
  changes: number;
  releases: number;
  faults: string[];
}
