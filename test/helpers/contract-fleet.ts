import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tarball } from './archives.ts';
import { type Request, sendRequest } from './send-request.ts';
import { type StartedAgent, startAgent } from './start-agent.ts';
import { type StartedController, startController } from './start-controller.ts';
import { keptTempDir } from './temp-dir.ts';

/** A controller, two real agents, an origin of artifacts, and two hosts that are down. */
export interface ContractFleet {
  controller: StartedController;
  a: StartedAgent;
  b: StartedAgent;
  /** Refuses connections. */
  dead: string;
  /** Where an artifact is: every name that ends like one is there, but `gone-…` is a 404 and `broken-…` is no archive. */
  url(filename: string): string;
  /** How often the origin was asked for an artifact. */
  downloads(filename: string): number;
  /** The answer's status and its body as it was written. */
  told(path: string, request?: Request): Promise<{ status: number; text: string }>;
  stop(): Promise<void>;
}

interface Settings {
  /** Keys of the agents' agent.yaml. */
  a?: object;
  b?: object;
}

export async function startContractFleet({ a = {}, b = {} }: Settings = {}): Promise<ContractFleet> {
  const root = keptTempDir();
  const counts = new Map<string, number>();
  const origin = createServer((request, response) => {
    const filename = (request.url ?? '').slice(1);
    counts.set(filename, (counts.get(filename) ?? 0) + 1);
    if (filename.startsWith('gone-')) response.writeHead(404).end('<html>no such file</html>');
    else if (filename.startsWith('broken-')) response.end('<html>an error page with status 200</html>');
    else response.end(artifact(filename));
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const originUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const [agentA, agentB, controller] = await Promise.all([
    startAgent(join(root, 'a'), { ...a }),
    startAgent(join(root, 'b'), { ...b }),
    startController(),
  ]);
  return {
    controller,
    a: agentA,
    b: agentB,
    dead: '127.0.0.1:1',
    url: (filename) => `${originUrl}/${filename}`,
    downloads: (filename) => counts.get(filename) ?? 0,
    told: async (path, request) => {
      const { status, text } = await sendRequest(controller.url + path, request);
      return { status, text };
    },
    async stop() {
      await Promise.all([controller, agentA, agentB].map((process) => process.stop()));
      origin.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

function artifact(filename: string): Buffer {
  if (filename.endsWith('.jar')) return Buffer.from(`the jar ${filename}`);
  return tarball({ 'version.txt': filename });
}

/** What curl prints, as a person would call it. */
export async function curl(...args: string[]): Promise<string> {
  return (await promisify(execFile)('curl', ['--silent', '--show-error', ...args])).stdout;
}
