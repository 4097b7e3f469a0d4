import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { paired } from '../measure/paired.ts';
import { median, quantile } from '../measure/statistics.ts';
import { against, figure, table } from '../measure/table.ts';
import { timed } from '../measure/timed.ts';
import { makeSmallReleases } from '../packages/small-releases.ts';
import { ReleaseClient, type StepTimes } from '../processes/release-client.ts';
import { AGENT_SOURCE, startAgent } from '../processes/start-agent.ts';
import { startController } from '../processes/start-controller.ts';

const AIM_MS = 50;
/** After each deploy, for the agent to tidy up: what is measured is one deploy, not a queue of them. */
const PAUSE_MS = 100;

interface Deployment {
  ms: number;
  steps: StepTimes;
}

export interface SmallRelease {
  compressedKb: number;
  rounds: number;
  aim: number;
  /** In milliseconds, by way: `grpcBundled`, `grpcSource`, `httpBundled`, `httpSource`. */
  ways: Record<string, { median: number; p90: number }>;
  /** Medians of the agent's own steps, bundled, in milliseconds. */
  steps: StepTimes;
}

/** A 200 KB release on agents that are warm: through gRPC, and through a controller's documented API. */
export async function measureSmallRelease(bench: Bench): Promise<SmallRelease> {
  const { quick, signal } = bench;
  const rounds = quick ? { warmups: 0, rounds: 1 } : { warmups: 5, rounds: 40 };
  const names = await makeSmallReleases(bench.originDir, 4 * (rounds.warmups + rounds.rounds), signal);
  await using bundled = await startAgent(bench.bundle.agent, join(bench.dir, 'bundled'));
  await using source = await startAgent(AGENT_SOURCE, join(bench.dir, 'source'));
  await using controller = await startController(join(bench.dir, 'controller'));
  using toBundled = new ReleaseClient(bundled.host);
  using toSource = new ReleaseClient(source.host);
  const next = () => {
    const name = names.pop() ?? '';
    return { operationId: name, filename: `${name}.tar.gz`, url: `${bench.origin.url}/${name}.tar.gz` };
  };
  const throughGrpc = (client: ReleaseClient) => measured(() => client.deploy(next(), signal), signal);
  const throughHttp = (host: string) =>
    measured(async () => {
      const { url, filename } = next();
      await post(`${controller.url}/deploy`, { ...ORDER, server_list: [host], file_url: url, filename }, signal);
      return {};
    }, signal);
  const deployments = await paired(
    {
      grpcBundled: throughGrpc(toBundled),
      grpcSource: throughGrpc(toSource),
      httpBundled: throughHttp(bundled.host),
      httpSource: throughHttp(source.host),
    },
    rounds,
    signal,
  );
  const { size } = await stat(join(bench.originDir, 'small-1.tar.gz'));
  return {
    compressedKb: Math.round(size / 1000),
    rounds: rounds.rounds,
    aim: AIM_MS,
    ways: Object.fromEntries(Object.entries(deployments).map(([way, list]) => [way, spread(list)])),
    steps: medianSteps(deployments.grpcBundled),
  };
}

export function showSmallRelease({ compressedKb, rounds, aim, ways, steps }: SmallRelease): string {
  const labels: Record<string, string> = {
    grpcBundled: 'Stage + Activate, agent as shipped',
    grpcSource: 'Stage + Activate, agent from source',
    httpBundled: 'POST /deploy, agent as shipped',
    httpSource: 'POST /deploy, agent from source',
  };
  const rows = Object.entries(ways).map(([way, { median, p90 }]) => [
    labels[way] ?? way,
    against(median, aim),
    figure(p90),
  ]);
  const told = Object.entries(steps).map(([step, ms]) => `${step} ${figure(ms)}`);
  return `${table([`a release of ${compressedKb} KB, ms`, 'median', 'p90'], rows)}
  ${rounds} rounds. The controller runs from source. Steps as the shipped agent tells them (whole ms): ${told.join(', ')}`;
}

const ORDER = { project_name: 'bench-http', link_name: 'bench-http', language: 'php' };

function measured(deploy: () => Promise<StepTimes>, signal: AbortSignal): () => Promise<Deployment> {
  return async () => {
    let steps: StepTimes = {};
    const ms = await timed(async () => {
      steps = await deploy();
    });
    await delay(PAUSE_MS, undefined, { signal });
    return { ms, steps };
  };
}

async function post(url: string, order: unknown, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(order), signal });
  const answer = (await response.json()) as { status_code: number };
  if (answer.status_code !== 200) throw new Error(`${url}: ${JSON.stringify(answer)}`);
}

function spread(deployments: readonly Deployment[]): { median: number; p90: number } {
  const times = deployments.map(({ ms }) => ms);
  return { median: median(times), p90: quantile(times, 0.9) };
}

function medianSteps(deployments: readonly Deployment[]): StepTimes {
  const names = Object.keys(deployments[0]?.steps ?? {});
  return Object.fromEntries(names.map((name) => [name, median(deployments.map(({ steps }) => steps[name] ?? 0))]));
}
