import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { AGENT_START, type ProgramStart } from '../../packaging/program-start.ts';
import { type Program, startProgram } from './start-program.ts';

export const AGENT_SOURCE = fileURLToPath(new URL('../../packages/agent/bin/sampan-agent.mjs', import.meta.url));

export interface RunningAgent extends Program {
  /** `127.0.0.1:port`. */
  host: string;
  logDir: string;
}

/** Starts an agent whose directories are all below `root`, from source or from a bundle; that as it is shipped, unless told otherwise. */
export async function startAgent(
  program: string,
  root: string,
  start = program === AGENT_SOURCE ? { flags: [], env: {} } : AGENT_START,
): Promise<RunningAgent> {
  return await startConfigured(program, writeAgentConfig(root), { root, start });
}

/** Starts the bundled agent `program` as it is shipped, under TLS, on `listen`. */
export async function startAgentUnderTls(
  program: string,
  root: string,
  settings: { listen: string; identity_dir: string },
): Promise<RunningAgent> {
  return await startConfigured(program, writeAgentConfig(root, settings), { root, start: AGENT_START });
}

async function startConfigured(
  program: string,
  config: string,
  { root, start }: { root: string; start: ProgramStart },
): Promise<RunningAgent> {
  const args = [...start.flags, program, '--config', config];
  const started = await startProgram(args, { ready: 'agent is ready', cwd: root, env: start.env });
  return Object.assign(started, { host: `127.0.0.1:${started.readyLine.grpcPort}`, logDir: join(root, 'log') });
}

/** Makes `root` with an agent.yaml in it, with `settings` beside or instead of what stands there; says where. */
export function writeAgentConfig(root: string, settings: Record<string, unknown> = {}): string {
  mkdirSync(root, { recursive: true });
  const file = join(root, 'agent.yaml');
  const log_file = join(root, 'log/{project_name}/{logname}');
  const base = { base_dir: join(root, 'service'), log_file };
  const config = {
    listen: '127.0.0.1:0',
    health_listen: '127.0.0.1:0',
    state_dir: join(root, 'state'),
    languages: { php: base, java: base, golang: { base_dir: join(root, 'opt/{deploy_dir}'), log_file } },
    ...settings,
  };
  writeFileSync(file, stringify(config));
  return file;
}
