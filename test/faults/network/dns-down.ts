import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { keptTempDir } from '../../helpers/temp-dir.ts';
import { attempt, outcomeOf, violations } from '../harness/attempt.ts';
import { AGENT_PORT } from '../harness/fault-agent.ts';
import { type NameServer, startNameServer } from '../harness/name-server.ts';
import type { Report } from '../harness/run-cases.ts';
import type { Wire } from '../harness/wire.ts';
import type { World } from '../harness/world.ts';
import { type DistantWorld, inDistantWorld } from './distant-world.ts';

const ORIGIN = 'origin.test';
const AGENT = 'agent.test';

/** Longer than the resolver waits, so that what is told is why. */
const PATIENCE = { connect: '3s', attempts: 2 };

/** The name server says nothing: the agent does not find its origin, nor the controller its agent. */
export async function dnsDown(wire: Wire): Promise<Report> {
  const dir = keptTempDir();
  useNameServer(dir, wire.near);
  const server = await startNameServer(wire.near, { [ORIGIN]: wire.near, [AGENT]: wire.far });
  const play = async ({ world }: DistantWorld) => ({
    outcome: `${await originNotFound(world, server)}; ${await agentNotFound(world, server)}`,
  });
  try {
    return await inDistantWorld(wire, play, PATIENCE);
  } finally {
    server.close();
    rmSync(dir, { recursive: true });
  }
}

async function originNotFound(world: World, server: NameServer): Promise<string> {
  const made = world.next();
  const url = new URL(made.filename, world.origin.url);
  url.hostname = ORIGIN;
  const tried = await whileSilent(server, () => attempt(world, made, { more: { file_url: url.href } }));
  const outcome = outcomeOf(world, tried);
  expect(outcome).toBe(`下载文件失败: 无法从 ${url.origin} 读取 (EAI_AGAIN)`);
  expect(await violations(world, tried)).toEqual([]);
  return outcome.replace(url.origin, '<origin>');
}

async function agentNotFound(world: World, server: NameServer): Promise<string> {
  const host = `${AGENT}:${AGENT_PORT}`;
  const tried = await whileSilent(server, () => attempt(world, world.next(), { more: { server_list: [host] } }));
  const outcome = `Agent连接失败: EAI_AGAIN ${AGENT}`;
  expect(tried.answer).toEqual({ status_code: 501, data: { [host]: outcome } });
  const answer = { status_code: 501, data: { [world.host]: outcome } };
  expect(await violations(world, { ...tried, answer })).toEqual([]);
  return outcome;
}

async function whileSilent<T>(server: NameServer, run: () => Promise<T>): Promise<T> {
  server.answers = false;
  return await run().finally(() => {
    server.answers = true;
  });
}

/** For this process and those that it starts, which have mounts of their own. */
function useNameServer(dir: string, address: string): void {
  const file = join(dir, 'resolv.conf');
  writeFileSync(file, `nameserver ${address}\noptions timeout:1 attempts:1\n`);
  execFileSync('mount', ['--bind', file, '/etc/resolv.conf']);
}
