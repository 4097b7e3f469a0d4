import { expect } from 'vitest';
import type { CaseTable, FaultCase, Report } from '../harness/run-cases.ts';
import type { SupervisedWorld } from '../harness/supervised-world.ts';
import { refusedUntouched } from '../harness/untouched.ts';
import type { World } from '../harness/world.ts';

const RULE = '应为 以字母或数字开头, 只含字母、数字和 . _ -, 不含 "..", 最长 128 个字符';
const ARTIFACT_RULE = RULE.replace('应为 ', '应为 以 .tar.gz .tgz .tar .jar .war 结尾的文件名, ');

/** The supervised one is there for slow cases alone. */
interface Stage {
  world: World;
  supervised: SupervisedWorld;
}

export const names: CaseTable<'names', Stage> = {
  '.': refused('.'),
  '..': refused('..'),
  empty: refused(''),
  '129 characters': refused('a'.repeat(129), `"${'a'.repeat(80)}…"`),
  'a/b': refused('a/b'),
  'a%2fb': refused('a%2fb'),
  'NUL, newline, right-to-left override': {
    speed: 'fast',
    async run({ world }) {
      const outcomes = [
        await refuse(world, 'a\0b', '"a\\u0000b"'),
        await refuse(world, 'a\nb', '"a\\nb"'),
        await refuse(world, 'web\u202egpj', '"web\\u202egpj"'),
      ];
      return { outcome: outcomes.join('; ') };
    },
  },
  '-rf': refused('-rf'),
  'all as link_name of a java project': { speed: 'slow', run: ({ supervised }) => nobodyIsRestarted(supervised) },
  'a space': refused('a b'),
};

function refused(sent: string, found = JSON.stringify(sent)): FaultCase<Stage> {
  return { speed: 'fast', run: async ({ world }) => ({ outcome: await refuse(world, sent, found) }) };
}

/** The same in each field that becomes part of a path. */
async function refuse(world: World, sent: string, found: string): Promise<string> {
  const made = world.next();
  for (const [field, rule] of [
    ['project_name', RULE],
    ['link_name', RULE],
    ['filename', ARTIFACT_RULE],
  ] as const) {
    const { status, body } = await refusedUntouched(world, '/deploy', {
      method: 'POST',
      body: world.request(made, { [field]: sent }),
    });
    const data = `参数错误: ${field} 收到 ${found}, ${rule}`;
    expect({ status, body }).toEqual({ status: 400, body: { status_code: 400, data } });
  }
  return `参数错误: link_name 收到 ${found}, ${RULE}`;
}

/** To supervisorctl `all` means every program of the host. */
async function nobodyIsRestarted({ world, supervisord, othersFaults }: SupervisedWorld): Promise<Report> {
  const pids = await supervisord.pids();
  const made = world.next();
  const answer = await world.deploy(made, { project_name: 'everybody', link_name: 'all' });
  const text = '服务重启失败: supervisor中没有程序 all, 请先调用 init_deploy';
  expect(answer).toEqual({ status_code: 501, data: { [world.host]: text } });
  expect(await supervisord.pids()).toEqual(pids);
  expect(await othersFaults()).toEqual([]);
  return { outcome: text };
}
