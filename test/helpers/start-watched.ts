import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { tarball } from './archives.ts';
import { freePort } from './free-port.ts';
import { startOrigin } from './origin.ts';
import { sendRequest } from './send-request.ts';
import { startAgent } from './start-agent.ts';
import { startController } from './start-controller.ts';
import { type Prometheus, startPrometheus } from './start-prometheus.ts';
import { keptTempDir } from './temp-dir.ts';

/** A controller, two agents and a Prometheus, which has seen them before and after two rounds of deploys. */
export interface Watched {
  prometheus: Prometheus;
  /** What `/metrics` of the controller and of an agent says, as text. */
  exposed: string;
  controller: string;
  agents: string[];
  /** In each, two hosts are deployed; then the same two fail for want of the package, and with them one where nobody is. */
  rounds: number;
  /** A time after that at which all three had just been scraped, in seconds. On a busy machine a scrape may fail later. */
  atSeconds: number;
  stop(): Promise<void>;
}

const ROUNDS = 2;

export async function startWatched(): Promise<Watched> {
  const root = keptTempDir();
  const running: { stop(): Promise<unknown> }[] = [];
  const started = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const one = await starting;
    running.push(one);
    return one;
  };
  const stop = async () => {
    await Promise.all(running.map((one) => one.stop()));
    rmSync(root, { recursive: true, force: true });
  };
  try {
    const agents = await Promise.all(['a', 'b'].map((name) => started(startAgent(join(root, name)))));
    const controller = await started(startController());
    const origin = await startOrigin();
    running.push({ stop: () => origin.close() });
    const scraped = { controller: hostOf(controller.url), agents: agents.map(({ healthUrl }) => hostOf(healthUrl)) };
    const prometheus = await started(
      startPrometheus(join(root, 'prometheus'), {
        'sampan-controller': [scraped.controller],
        'sampan-agent': scraped.agents,
      }),
    );
    await prometheus.until('sum(up)', 3);
    const post = (path: string, fields: Record<string, unknown>) =>
      sendRequest(controller.url + path, {
        method: 'POST',
        body: { project_name: 'shop', link_name: 'web', language: 'php', ...fields },
      });
    const server_list = agents.map(({ host }) => host);
    const nobody = `127.0.0.1:${await freePort()}`;
    for (let round = 1; round <= ROUNDS; round += 1) {
      const filename = `web-${round}.tar.gz`;
      const file_url = origin.serve(`/${filename}`, tarball({ 'version.txt': String(round) }));
      const wanted = await post('/deploy', { server_list, filename, file_url });
      expect(wanted.body).toEqual({ status_code: 200, data: '部署成功!' });
      const missing = { filename: 'no.tar.gz', file_url: `${origin.url}/no.tar.gz` };
      expect(await post('/deploy', { server_list: [...server_list, nobody], ...missing })).toMatchObject({
        body: { status_code: 501 },
      });
      // Two and three hosts; on the two that are there, two phases and one that failed.
      await prometheus.until('sum(sampan_host_outcomes_total)', 5 * round);
      await prometheus.until('sum(sampan_agent_operations_total)', 6 * round);
      await prometheus.until('sum(sampan_http_request_seconds_count{route="/deploy"})', 2 * round);
    }
    const atSeconds = await prometheus.until('sum(up)', 3);
    const pages = [controller.url, ...agents.map(({ healthUrl }) => healthUrl)].map((url) =>
      sendRequest(`${url}/metrics`),
    );
    const exposed = (await Promise.all(pages)).map(({ text }) => text).join('');
    return { prometheus, exposed, ...scraped, rounds: ROUNDS, atSeconds, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function hostOf(url: string): string {
  return new URL(url).host;
}
