import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentConfigSchema } from '@sampan/agent/config.ts';
import { startTimeOf } from '@sampan/agent/host/kill-process.ts';
import { expect, it } from 'vitest';
import { file, tar, tarGz } from '../../../helpers/archives.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

/** An agent that starts an unpacker, passes a part of an artifact on, says so, and then does nothing more. */
const PARENT = `
  import { readFileSync } from 'node:fs';
  import { UnpackProcess } from '@sampan/agent/artifact/unpack-process.ts';
  const [order, part] = process.argv.slice(1);
  const unpacker = await UnpackProcess.start(JSON.parse(order));
  await unpacker.write(readFileSync(part));
  console.log(unpacker.pid);
  setInterval(() => undefined, 1000);
`;

const many = Array.from({ length: 500 }, (_, index) => file(`f${index}`, 'text'));

it.each([
  ['in the middle of a gzip', tarGz(...many).subarray(0, 5000)],
  ['between two entries of a tar', tar(...many).subarray(0, 1024 * 100)],
  ['before it has sent anything', Buffer.alloc(0)],
])('an unpacker ends when its agent is killed %s, and has written in its staging directory only', async (_, part) => {
  const dir = tempDir();
  const stagingDir = tempDir();
  writeFileSync(join(dir, 'part'), part);
  const { unpack: limits } = agentConfigSchema.parse({});
  const order = { stagingDir, filename: 'zeus-1.tar.gz', kind: 'tar', owner: null, allowLinksTo: [], limits };
  const argv = ['--input-type=module', '-e', PARENT, JSON.stringify(order), join(dir, 'part')];
  const parent = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  expect(await startTimeOf(pid)).toBeDefined();
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await expect.poll(() => startTimeOf(pid), { timeout: 20_000 }).toBeUndefined();
  expect(readdirSync(stagingDir).sort()).toEqual(part.length === 0 ? [] : ['content', 'tree.jsonl']);
  expect(readdirSync(dir)).toEqual(['part']);
});
