import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { agentConfig } from '../../helpers/start-agent.ts';
import { type StartedProcess, startProcess } from '../../helpers/start-process.ts';

const PROGRAM = fileURLToPath(new URL('../../../packages/agent/bin/sampan-agent.mjs', import.meta.url));

/** As it is shipped, as far as a program from source can be: without this it makes releases durable by sync(1), and not by itself. */
const FLAGS = ['--disable-warning=ExperimentalWarning'];

/** Where an agent lives: the same place, address and settings after each of its deaths. */
export interface AgentHome {
  /** Everything of it lies below. */
  root: string;
  /** A loopback address of its own, so that it finds its port free again. */
  address: string;
  settings?: Record<string, unknown>;
  env?: Record<string, string>;
  /** See `startProcess`. */
  through?: readonly string[];
}

export const AGENT_PORT = 7410;

/** Starts the agent process of a home and waits until it serves. */
export function startAgentAt(home: AgentHome): Promise<StartedProcess> {
  return startProcess([...FLAGS, PROGRAM, '--config', configFileOf(home)], {
    ready: 'agent is ready',
    cwd: '/',
    env: home.env ?? {},
    through: home.through ?? [],
  });
}

/** Starts it and kills it after a while, wherever it has come to. */
export async function startAndKill(home: AgentHome, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [...FLAGS, PROGRAM, '--config', configFileOf(home)], {
    cwd: '/',
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  await delay(afterMs);
  child.kill('SIGKILL');
  await exited;
}

function configFileOf({ root, address, settings = {} }: AgentHome): string {
  mkdirSync(root, { recursive: true });
  const file = join(root, 'agent.yaml');
  writeFileSync(file, stringify(agentConfig(root, { address, port: AGENT_PORT, ...settings })));
  return file;
}

let addresses = 0;

/** An address that no other test of this machine uses, most likely. */
export function ownAddress(): string {
  addresses += 1;
  const { pid } = process;
  return `127.${100 + (addresses % 100)}.${(pid >> 8) & 255}.${pid & 255 || 1}`;
}
