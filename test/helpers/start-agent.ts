import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type StartedProcess, startProcess } from './start-process.ts';

const PROGRAM = fileURLToPath(new URL('../../packages/agent/bin/sampan-agent.mjs', import.meta.url));

/** A real agent process, its directories below `root`. */
export interface StartedAgent extends StartedProcess {
  /** As it is written in `server_list`: `127.0.0.1:port`. */
  host: string;
  healthUrl: string;
  root: string;
  /** php and java share it; golang's bases are `<root>/opt/<deploy_dir>`. */
  serviceDir: string;
  logDir: string;
}

/** Keys of agent.yaml to add or replace at the top level; addresses default to ports of the system's choice. */
export type AgentSettings = Record<string, unknown> & { address?: string; port?: number; healthPort?: number };

/** The configuration of a test's agent, everything below `root`. */
export function agentConfig(
  root: string,
  { address = '127.0.0.1', port = 0, healthPort = 0, ...more }: AgentSettings = {},
) {
  const log_file = join(root, 'log/{project_name}/{logname}');
  return {
    listen: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    health_listen: `127.0.0.1:${healthPort}`,
    state_dir: join(root, 'state'),
    languages: {
      php: { base_dir: join(root, 'service'), log_file },
      java: { base_dir: join(root, 'service'), log_file },
      golang: { base_dir: join(root, 'opt/{deploy_dir}'), log_file },
    },
    ...more,
  };
}

/** Starts an agent as its own process and waits until it is ready. The caller stops it. */
export async function startAgent(root: string, settings: AgentSettings = {}): Promise<StartedAgent> {
  mkdirSync(root, { recursive: true });
  const file = join(root, 'agent.yaml');
  writeFileSync(file, stringify(agentConfig(root, settings)));
  const started = await startProcess([PROGRAM, '--config', file], { ready: 'agent is ready', cwd: root });
  const { grpcPort, healthPort } = started.readyLine as { grpcPort: number; healthPort: number };
  const address = settings.address ?? '127.0.0.1';
  return Object.assign(started, {
    host: address.includes(':') ? `[${address}]:${grpcPort}` : `${address}:${grpcPort}`,
    healthUrl: `http://127.0.0.1:${healthPort}`,
    root,
    serviceDir: join(root, 'service'),
    logDir: join(root, 'log'),
  });
}
