import { join } from 'node:path';
import { DEPLOYED } from './answer.ts';
import { standing } from './attempt.ts';
import { linkFaults, versionAt } from './invariants.ts';
import { type Package, packageOf } from './package.ts';
import { mountRecordedDisk, type RecordedDisk } from './recorded-disk/recorded-disk.ts';
import { diskAfter, readCommands } from './recorded-disk/write-log.ts';
import { seededRandom } from './seeded-random.ts';
import { World } from './world.ts';

/** One power cut: what stood afterwards. */
export interface PowerCut {
  /** How many commands the disk had been given. */
  commands: number;
  outcome: 'the release before' | 'the release that was being deployed';
  faults: string[];
}

/** When an answer came, in commands that the disk had been given: from here on `made` is current, whatever happens. */
interface Told {
  commands: number;
  made: Package;
}

const DISK_MIB = 48;
const DEPLOYS = 12;

/**
 * Deploys again and again on a disk that is recorded, then makes the disk as a power cut at so many moments would have left
 * it, and lets an agent come up on each. Half of the cuts lose a part of what had not been flushed.
 */
export async function cutPowerAtPoints({ seed, points }: { seed: number; points: number }): Promise<PowerCut[]> {
  const random = seededRandom(seed);
  const disk = await mountRecordedDisk(DISK_MIB);
  try {
    const world = await World.open({ root: join(disk.dir, 'root'), agent: { releases: { keep: 2 } } });
    try {
      const told = await deployAgainAndAgain(world, disk);
      await world.agent.stop('SIGKILL');
      const all = readCommands(disk.log());
      const [first, last] = [told[0]!.commands, told.at(-1)!.commands];
      const cuts: PowerCut[] = [];
      for (let n = 0; n < points; n += 1) {
        const commands = Math.floor(first + ((n + random()) / points) * (last - first));
        const survives = n % 2 === 0 ? () => true : () => random() < 0.5;
        disk.replaceBy(diskAfter(disk.image, all.slice(0, commands), survives));
        cuts.push(await comeUp(world, told, commands));
      }
      return cuts;
    } finally {
      await world.close();
    }
  } finally {
    await disk.remove();
  }
}

/** The last of them is what the link names when the recording begins, then each deploy's end. */
async function deployAgainAndAgain(world: World, disk: RecordedDisk): Promise<Told[]> {
  const told: Told[] = [];
  for (let n = 0; n <= DEPLOYS; n += 1) {
    const made = world.next((version) => packageOf(version, { files: 40, bytesEach: 500 }));
    const answer = await world.deploy(made);
    if (answer.status_code !== DEPLOYED.status_code) throw new Error(JSON.stringify(answer));
    told.push({ commands: readCommands(disk.log()).length, made });
  }
  return told;
}

async function comeUp(world: World, told: readonly Told[], commands: number): Promise<PowerCut> {
  const before = told.findLast((one) => one.commands <= commands)!.made;
  const deploying = told.find((one) => one.commands > commands)!.made;
  await world.restartAgent();
  const faults = await standing(world);
  const now = linkFaults(world.base, world.linkName).length === 0 ? versionAt(world.base, world.linkName) : null;
  if (now !== before.version && now !== deploying.version) {
    faults.push(`I4 ${before.version} was told to be current, and ${deploying.version} was on its way, but ${now} is`);
  }
  const again = await world.deploy(deploying);
  if (JSON.stringify(again) !== JSON.stringify(DEPLOYED)) faults.push(`I3 the retry was told ${JSON.stringify(again)}`);
  faults.push(...(await standing(world)).map((fault) => `after the retry: ${fault}`));
  await world.agent.stop('SIGKILL');
  const outcome = now === before.version ? 'the release before' : 'the release that was being deployed';
  return { commands, outcome, faults };
}
