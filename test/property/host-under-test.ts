import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Base } from '../faults/harness/invariants.ts';
import { diskFaults, leftovers, linkFaults, namesIn, versionAt } from '../faults/harness/invariants.ts';
import { type Origin, startOrigin } from '../helpers/origin.ts';
import { keptTempDir } from '../helpers/temp-dir.ts';
import { MortalAgent } from './mortal-agent.ts';
import { allPackages, contentOf, projects, type Shipment, shipmentPackage, targetOf } from './projects.ts';

/** How a download goes wrong. */
export type OriginFault = 'missing' | 'cut';

/** A release that is listed: by name on the disk, as people know it, and what it holds. */
export interface Listed {
  name: string;
  version: string;
  content: string;
}

/** The real thing: an agent that may die, its disk, and an origin. */
export class HostUnderTest {
  readonly root: string;
  readonly base: Base;
  readonly agent: MortalAgent;
  readonly #origin: Origin;
  #ids = 0;

  static async open(): Promise<HostUnderTest> {
    const host = new HostUnderTest(keptTempDir(), await startOrigin());
    await host.agent.start();
    return host;
  }

  private constructor(root: string, origin: Origin) {
    this.root = root;
    this.#origin = origin;
    this.base = { dir: join(root, 'service'), packages: allPackages() };
    mkdirSync(this.base.dir);
    this.agent = new MortalAgent(root);
  }

  newId(): string {
    this.#ids += 1;
    return `op-${this.#ids}`;
  }

  urlOf(shipment: Shipment): string {
    return this.#origin.url + pathOf(shipment);
  }

  /** From now on the origin has it, or something is wrong with it there. */
  serve(shipment: Shipment, fault?: OriginFault): void {
    const { bytes } = shipmentPackage(shipment);
    const cut = bytes.subarray(0, bytes.length - 50);
    this.#origin.serve(pathOf(shipment), fault === 'missing' ? { status: 404 } : fault === 'cut' ? cut : bytes);
  }

  /** From now on the hook of a project fails, or does not. */
  setHook(project: number, { fails }: { fails: boolean }): void {
    const file = join(this.root, `hook-fails-${targetOf(project).projectName}`);
    if (fails) writeFileSync(file, '');
    else rmSync(file, { force: true });
  }

  /** The content that a project's link leads to; null where there is no link. @throws where that is not whole. */
  contentAt(project: number): string | null {
    return versionAt(this.base, targetOf(project).linkName);
  }

  /** The release that a project's link names, by its name on the disk. */
  currentName(project: number): string | undefined {
    const { linkName } = targetOf(project);
    if (!namesIn(this.base.dir).includes(linkName)) return undefined;
    return basename(readlinkSync(join(this.base.dir, linkName)));
  }

  /** What is listed of a project, newest first: by name on the disk and content. */
  async listed(project: number): Promise<Listed[]> {
    const releases = await this.agent.list(targetOf(project));
    return releases.map(({ name, version }) => ({ name, version, content: this.#contentOf(name) }));
  }

  /** I1 and I2 as the disk shows them, and what is left behind. What is listed stands there, and is the project's own. */
  async faults(): Promise<string[]> {
    const found = projects.flatMap(({ linkName }) => linkFaults(this.base, linkName));
    found.push(...diskFaults(this.base), ...leftovers(this.base));
    for (const [project, { projectName }] of projects.entries()) {
      for (const { name, content } of await this.listed(project)) {
        if (!content.startsWith(`${projectName} `)) found.push(`I5 ${name} is listed for ${projectName}: ${content}`);
      }
    }
    return found;
  }

  /** All of a project on the disk, to see that nothing of it changes while others are worked on. */
  async stateOf(project: number): Promise<string> {
    const own = await this.agent.list(targetOf(project));
    const releases = own.map(({ name, inode }) => {
      const { ino, ctimeMs } = lstatSync(join(this.base.dir, '.deploy', name));
      return `${name} ${inode} ${ino} ${ctimeMs}`;
    });
    return [`${this.currentName(project)}`, ...releases].join('\n');
  }

  async close(): Promise<void> {
    await this.agent.settled();
    this.agent.end();
    await this.#origin.close();
    await rm(this.root, { recursive: true, force: true });
  }

  #contentOf(name: string): string {
    return readFileSync(join(this.base.dir, '.deploy', name, 'version.txt'), 'utf8');
  }
}

function pathOf(shipment: Shipment): string {
  return `/${contentOf(shipment).replaceAll(' ', '/')}`;
}
