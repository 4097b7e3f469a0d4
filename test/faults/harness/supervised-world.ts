import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startSupervisord, type TestSupervisord } from '../../helpers/supervisord.ts';
import { keptTempDir } from '../../helpers/temp-dir.ts';
import type { Answer } from './answer.ts';
import { type Snag, snagIn } from './hanging-once.ts';
import { World } from './world.ts';

/** A java project whose program runs under a real supervisord, beside a program of somebody else. */
export interface SupervisedWorld {
  world: World;
  supervisord: TestSupervisord;
  /** Where `supervisorctl <command>` hangs, for the command that it was made with. */
  snag: Snag;
  /** The project's config file. */
  configFile: string;
  initDeploy(text: string): Promise<Answer>;
  /** SIGKILL; its programs live on, until another supervisord takes over. */
  killSupervisord(): Promise<void>;
  reviveSupervisord(): Promise<void>;
  /** What is not as it was with the other program and the files of others. */
  othersFaults(): Promise<string[]>;
  close(): Promise<void>;
}

export const INITIALIZED: Answer = { status_code: 200, data: '初始化成功!' };

/** Its first release runs when this resolves. `snagged`: the supervisorctl command that can be made to hang. */
export async function openSupervisedWorld({ snagged = 'nothing' } = {}): Promise<SupervisedWorld> {
  let supervisord = await startSupervisord(keptTempDir());
  const { dir, conf, includeDir } = supervisord;
  const snag = snagIn(dir);
  const ctl = join(dir, 'supervisorctl.sh');
  const script = `#!/bin/sh\ncase "$3" in ${snagged}) ${snag.script};; esac\nexec supervisorctl "$@"\n`;
  writeFileSync(ctl, script, { mode: 0o755 });
  supervisord.include('other.conf', '[program:other]\ncommand=sleep 100000\nstartsecs=0\n');
  await supervisord.run('update', 'other');
  const other = (await supervisord.pids()).other;
  const world = await World.open({
    agent: { supervisor: { ctl: [ctl, '-c', conf], settle: '300ms' } },
    order: { language: 'java', is_restart: true },
  });
  const initDeploy = (text: string) =>
    world.post('/init_deploy', {
      project_name: 'shop',
      server_list: [world.host],
      language: 'java',
      superconf_content: text,
    });
  await expectAnswer(initDeploy(programText(world)), INITIALIZED);
  await expectAnswer(world.deploy(world.next()), { status_code: 200, data: '部署成功!' });
  let orphans: number[] = [];
  return {
    world,
    get supervisord() {
      return supervisord;
    },
    snag,
    configFile: join(includeDir, 'shop.conf'),
    initDeploy,
    async killSupervisord() {
      orphans = Object.values(await supervisord.pids());
      await supervisord.kill();
    },
    async reviveSupervisord() {
      for (const pid of orphans) process.kill(pid, 'SIGKILL');
      supervisord = await startSupervisord(dir);
    },
    async othersFaults() {
      const now = (await supervisord.pids()).other;
      const text = readFileSync(join(includeDir, 'other.conf'), 'utf8');
      return [
        ...(now === other ? [] : [`I5 the other program ran as ${other} and runs as ${now}`]),
        ...(text.includes('sleep 100000') ? [] : ['I5 the config of the other program was changed']),
      ];
    },
    async close() {
      await world.close();
      await supervisord.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A program that shows which release it runs from, and stays up. */
export function programText(world: World, { startSecs = 1, seconds = 100_000 } = {}): string {
  return `[program:web]\ncommand=sleep ${seconds}\ndirectory=${join(world.base.dir, 'web')}\nstartsecs=${startSecs}\n`;
}

async function expectAnswer(answered: Promise<Answer>, expected: Answer): Promise<void> {
  const answer = await answered;
  if (JSON.stringify(answer) !== JSON.stringify(expected)) throw new Error(JSON.stringify(answer));
}
