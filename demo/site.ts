import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Answer, type AskOptions, ask } from './ask.ts';
import { paint, print } from './print.ts';

const CONTROLLER = fileURLToPath(new URL('../packages/controller/bin/sampan-controller.mjs', import.meta.url));
const AGENT = fileURLToPath(new URL('../packages/agent/bin/sampan-agent.mjs', import.meta.url));
const run = promisify(execFile);

/** A controller with a CA of its own, and how hosts come to it. Each line that a person would type is printed. */
export interface Site {
  root: string;
  url: string;
  tokenFile: string;
  caFile: string;
  /** The command that serves. */
  serve(): string[];
  /** The command that runs an agent. */
  runAgent(config: string): string[];
  /** Keeps a copy of the CA, which callers of HTTPS believe. */
  fetchCa(): Promise<void>;
  join(host: string, config: string): Promise<void>;
  ask(url: string, options?: AskOptions): Promise<Answer>;
}

/** Makes the CA and a first token. */
export async function openSite(root: string, config: string, url: string): Promise<Site> {
  const tokenFile = join(root, 'token');
  const caFile = join(root, 'ca.pem');
  const controller = (...words: string[]) => run(process.execPath, [CONTROLLER, '--config', config, ...words]);
  type(`npx sampan-controller --config ${config} init`);
  const token = (await controller('init')).stdout.trim();
  writeFileSync(tokenFile, `Authorization: Bearer ${token}\n`, { mode: 0o600 });
  print(`  the CA, and a token that may do everything: the lines below read it from ${tokenFile}`);
  let ca: string | undefined;
  const askAsCaller: Site['ask'] = (at, options = {}) => ask(at, { ca, token, ...options });
  return {
    root,
    url,
    tokenFile,
    caFile,
    ask: askAsCaller,
    serve() {
      type(`npx sampan-controller --config ${config} &`);
      return [process.execPath, CONTROLLER, '--config', config];
    },
    runAgent(agentConfig) {
      type(`npx sampan-agent --config ${agentConfig} &`);
      return [process.execPath, AGENT, '--config', agentConfig];
    },
    async fetchCa() {
      type(`curl -sk ${url}/v1/agents/ca.pem -o ${caFile}`);
      ({ text: ca } = await askAsCaller(`${url}/v1/agents/ca.pem`));
      writeFileSync(caFile, ca);
    },
    async join(host, agentConfig) {
      type(`npx sampan-controller --config ${config} join-token --host ${host}`);
      const joinToken = (await controller('join-token', '--host', host)).stdout.trim();
      type(`npx sampan-agent --config ${agentConfig} join --controller ${url} --token ${joinToken}`);
      const words = ['--config', agentConfig, 'join', '--controller', url, '--token', joinToken];
      print(`  ${(await run(process.execPath, [AGENT, ...words])).stdout.trim()}`);
    },
  };
}

function type(line: string): void {
  print(paint('cyan', `$ ${line}`));
}
