import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Agent, startAgent } from '@sampan/agent/agent.ts';
import { agentConfigSchema } from '@sampan/agent/config.ts';
import { tarball } from './archives.ts';
import { type Origin, startOrigin } from './origin.ts';
import { silentLog } from './silent-log.ts';
import { agentConfig } from './start-agent.ts';
import { keptTempDir } from './temp-dir.ts';

/** One agent of a fleet, all its files below `dir`. */
export interface FleetHost {
  /** As it is written in a list of hosts. */
  name: string;
  dir: string;
  /** The version that a link names, whichever copy of it; null where there is none. */
  linked(link: string): string | null;
  /** How often an operation has flipped a link here, by the journal. */
  flips(operationId: string): number;
  stop(): Promise<void>;
}

/** Many agents in this process, each with disk and port of its own, and an origin. The caller stops them. */
export interface AgentFleet extends AsyncDisposable {
  hosts: FleetHost[];
  names: string[];
  origin: Origin;
  root: string;
  /** Offers a release of project `shop`, and returns the fields that a deploy of it needs. */
  pack(version: string, files?: Record<string, string>): { file_url: string; filename: string };
  /** A host fails every health check from now on, or no longer. */
  makeIll(host: FleetHost, isIll: boolean): void;
}

/** A check that is asked in the release, and fails on hosts that were made ill. */
export const HEALTH_CHECK = {
  command: ['sh', '-c', 'test ! -e ../../../ill'],
  interval_seconds: 0.1,
  // Long enough for twenty agents on one busy machine to start a process each.
  deadline_seconds: 1,
};

export async function startAgentFleet(count: number, settings: Record<string, unknown> = {}): Promise<AgentFleet> {
  const root = keptTempDir();
  const origin = await startOrigin();
  const hosts = await Promise.all(
    Array.from({ length: count }, (_, n) => startHost(join(root, `host-${n}`), settings)),
  );
  return {
    hosts,
    names: hosts.map(({ name }) => name),
    origin,
    root,
    pack(version, files = {}) {
      const filename = `${version}.tar.gz`;
      return { file_url: origin.serve(`/${filename}`, tarball({ version, ...files })), filename };
    },
    makeIll({ dir }, isIll) {
      if (isIll) writeFileSync(join(dir, 'ill'), '');
      else rmSync(join(dir, 'ill'), { force: true });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(hosts.map((host) => host.stop()));
      await origin.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function startHost(dir: string, settings: Record<string, unknown>): Promise<FleetHost> {
  mkdirSync(dir, { recursive: true });
  const agent: Agent = await startAgent(
    agentConfigSchema.parse(agentConfig(dir, { health_checks: { user: null }, ...settings })),
    silentLog,
  );
  const journal = join(dir, 'state/operations');
  return {
    name: `127.0.0.1:${agent.grpcPort}`,
    dir,
    linked(link) {
      try {
        return readlinkSync(join(dir, 'service', link))
          .replace(/^\.deploy\//, '')
          .replace(/~\d+$/, '');
      } catch {
        return null;
      }
    },
    flips(operationId) {
      if (!existsSync(journal) || !readdirSync(journal).includes(`${operationId}.jsonl`)) return 0;
      const lines = readFileSync(join(journal, `${operationId}.jsonl`), 'utf8')
        .trim()
        .split('\n');
      return lines.filter((line) => (JSON.parse(line) as { event: string }).event === 'flipping').length;
    },
    stop: () => agent.stop(),
  };
}
