import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityOf } from '../../packages/agent/src/host/processes.ts';
import { tarball } from '../helpers/archives.ts';
import { startSystem, type TestSystem } from '../helpers/start-system.ts';

const ROUNDS = 30;
const KEEP = 3;
const projects = ['shop', 'cart', 'till'] as const;
type Project = (typeof projects)[number];

/** A program of a project, running from one of its releases: `sleep` with the release as its directory. */
interface Program {
  child: ChildProcess;
  startTicks: number;
  release: string;
}

describe('three projects in one base, all shipping app.tar.gz', () => {
  let system: TestSystem;
  const programs = new Map<Project, Program>();

  beforeAll(async () => {
    system = await startSystem({ agent: { releases: { keep: KEEP } } });
  });
  afterAll(async () => {
    for (const { child } of programs.values()) child.kill('SIGKILL');
    await system.stop();
  });

  it(`touch nobody else's link, release or process while each deploys, rolls back and prunes ${ROUNDS} times`, async () => {
    await Promise.all(projects.map(live));
    await system.agent.stop();

    // All is quiet: what stands is exactly what has a manifest, and each project has kept its own.
    expect(leftovers()).toEqual([]);
    const releases = readdirSync(releasesDir()).filter((name) => !name.startsWith('.'));
    const manifests = readdirSync(join(releasesDir(), '.meta')).filter((name) => name.endsWith('.json'));
    expect(manifests.map((name) => name.slice(0, -'.json'.length)).sort()).toEqual(releases.sort());
    const owners = releases.map((name) => readFileSync(join(releasesDir(), name, 'project.txt'), 'utf8'));
    for (const project of projects) {
      const own = owners.filter((owner) => owner === project).length;
      // The newest ones, and what was current, just left or in use when the last prune ran.
      expect(own).toBeGreaterThanOrEqual(2);
      expect(own).toBeLessThanOrEqual(KEEP + 3);
    }
  }, 120_000);

  /** One project's life. After each of its own steps: all that it expects of itself, and that the others are unharmed. */
  async function live(project: Project): Promise<void> {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const cleanUp = round % 3 === 0 ? { filename_delete: 'app.tar.gz' } : {};
      expect(await system.deploy({ ...order(project), bytes: artifact(project, round), ...cleanUp })).toEqual(
        system.deployed,
      );
      await expectCurrent(project, round);
      if (round === 1 || round % 10 === 0) await moveProgram(project);
      expectOthersUnharmed();
      if (round === 1) continue;
      // All copies are called `app`: the newest one that is not current is the one before.
      expect(await system.rollback(order(project))).toEqual(system.rolledBack);
      await expectCurrent(project, round - 1);
      expectOthersUnharmed();
      expect(await system.rollback(order(project))).toEqual(system.rolledBack);
      await expectCurrent(project, round);
      expectOthersUnharmed();
    }
  }

  async function expectCurrent(project: Project, round: number): Promise<void> {
    expect(contentOf(join(base(), project))).toEqual({ project, round: String(round) });
    expect(await system.version(order(project))).toBe('app');
  }

  function expectOthersUnharmed(): void {
    for (const [project, program] of programs) {
      expect(contentOf(join(base(), project)).project, 'the link leads to a release of its own project').toBe(project);
      expect(program.child.exitCode ?? program.child.signalCode, `the program of ${project} runs`).toBeNull();
      expect(contentOf(program.release).project, 'what it runs from still stands').toBe(project);
    }
  }

  /** What a project does with its own program from time to time: start it anew, from the release that is current now. */
  async function moveProgram(project: Project): Promise<void> {
    const old = programs.get(project);
    if (old) {
      expect((await identityOf(old.child.pid ?? 0))?.startTicks, 'nobody else has restarted it').toBe(old.startTicks);
      programs.delete(project);
      const ended = once(old.child, 'exit');
      old.child.kill('SIGKILL');
      await ended;
    }
    const release = realpathSync(join(base(), project));
    const child = spawn('sleep', ['100000'], { cwd: release, stdio: 'ignore' });
    await once(child, 'spawn');
    programs.set(project, { child, release, startTicks: (await identityOf(child.pid ?? 0))?.startTicks ?? -1 });
  }

  function base(): string {
    return system.agent.serviceDir;
  }

  function releasesDir(): string {
    return join(base(), '.deploy');
  }

  function leftovers(): string[] {
    const expected = new Set<string>(['.deploy', ...projects]);
    return [
      ...readdirSync(base()).filter((name) => !expected.has(name)),
      ...readdirSync(join(releasesDir(), '.staging')),
    ];
  }
});

function order(project: Project) {
  return { project_name: `mp-${project}`, link_name: project, language: 'php', filename: 'app.tar.gz' };
}

/** Some files, so that a half removed release would show. */
function artifact(project: Project, round: number): Buffer {
  const files = Array.from({ length: 20 }, (_, n) => [`src/${n}.php`, `<?php // ${project} ${round}\n`]);
  return tarball({ 'project.txt': project, 'round.txt': String(round), ...Object.fromEntries(files) });
}

/** What stands behind a path, every file of it looked at. */
function contentOf(path: string): { project: string; round: string } {
  const release = realpathSync(path);
  const project = readFileSync(join(release, 'project.txt'), 'utf8');
  const round = readFileSync(join(release, 'round.txt'), 'utf8');
  for (let n = 0; n < 20; n += 1) {
    expect(readFileSync(join(release, `src/${n}.php`), 'utf8')).toBe(`<?php // ${project} ${round}\n`);
  }
  return { project, round };
}
