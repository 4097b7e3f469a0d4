import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { callHttps } from './call-https.ts';
import { runProgram } from './run-program.ts';
import { type AgentSettings, agentConfig, type StartedAgent, startAgent } from './start-agent.ts';
import { type StartedController, startController } from './start-controller.ts';
import { tempDir } from './temp-dir.ts';

const TOKEN = /^sampan_[a-z2-7]{32}$/;
const JOIN_TOKEN = /^sampan_join_[a-z2-7]{32}_[0-9a-f]{64}$/;

/** A controller with a CA, its commands, and the directories of hosts that may join. */
export interface Site {
  dir: string;
  controller: StartedController;
  admin: string;
  /** Runs a command of the controller beside it. */
  command(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  joinToken(...words: string[]): Promise<string>;
  /** Calls the API over HTTPS, with the admin token unless another is named; resolves with the body, parsed. */
  call(path: string, request?: { body?: unknown; token?: string }): Promise<{ status: number; body: unknown }>;
}

/** Makes a CA and a first token, and starts the controller, until the test has finished. */
export async function startSite(settings: Record<string, unknown> = {}): Promise<Site> {
  const dir = tempDir();
  const config = {
    database: `sqlite:${join(dir, 'sampan.db')}`,
    identity_dir: join(dir, 'identity'),
    tls: 'own_ca',
    auth: { tokens: 'required' },
    ...settings,
  };
  const file = join(dir, 'controller.yaml');
  writeFileSync(file, stringify({ listen: '127.0.0.1:0', ...config }));
  const command: Site['command'] = (...words) => runProgram('controller', ['--config', file, ...words]);
  const made = await command('init');
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(TOKEN) });
  const controller = await startController(config);
  onTestFinished(async () => void (await controller.stop()));
  return {
    dir,
    controller,
    admin: made.stdout,
    command,
    async call(path, { body, token = made.stdout } = {}) {
      // The file holds the CA's certificate beside its key.
      const ca = readFileSync(join(dir, 'identity', 'authority.pem'), 'utf8');
      const answer = await callHttps(controller.url + path, { ca, token, body });
      return { status: answer.status, body: JSON.parse(answer.body) };
    },
    async joinToken(...words) {
      const { code, stdout, stderr } = await command('join-token', ...words);
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('sampan-agent') });
      expect(stdout).toMatch(JOIN_TOKEN);
      return stdout;
    },
  };
}

export interface HostToJoin {
  root: string;
  join(url: string, token: string, ...more: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  identityDir: string;
}

/** A host with a configuration and no identity yet. */
export function hostToJoin(): HostToJoin {
  const root = tempDir();
  const identityDir = join(root, 'identity');
  const file = join(root, 'agent.yaml');
  mkdirSync(root, { recursive: true });
  writeFileSync(file, stringify(agentConfig(root, { identity_dir: identityDir })));
  return {
    root,
    identityDir,
    join: (url, token, ...more) =>
      runProgram('agent', ['--config', file, 'join', '--controller', url, '--token', token, ...more]),
  };
}

/** Runs the agent of a host that has joined, until the test has finished. */
export async function startJoined(
  { root, identityDir }: HostToJoin,
  port = 0,
  settings: AgentSettings = {},
): Promise<StartedAgent> {
  const agent = await startAgent(root, { identity_dir: identityDir, port, ...settings });
  // One that is stopped takes no other signal.
  onTestFinished(async () => void (await agent.stop('SIGKILL')));
  return agent;
}
