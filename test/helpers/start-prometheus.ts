import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { freePort } from './free-port.ts';
import { programPath } from './requires.ts';
import { sendRequest } from './send-request.ts';

const DOCUMENTED = fileURLToPath(new URL('../../docs/prometheus.yml', import.meta.url));
const READY_MS = 20_000;
const SEEN_MS = 40_000;

/** One series as an instant query answers it. */
export interface Sample {
  metric: Record<string, string>;
  value: number;
}

/** A Prometheus with the configuration of the docs, which scrapes twice a second. */
export interface Prometheus {
  /** What an expression comes to, now or at a time in seconds of the epoch. @throws with what Prometheus says of one that it does not understand. */
  query(expression: string, atSeconds?: number): Promise<Sample[]>;
  /** Resolves once an expression comes to a value, with the time in seconds at which it did. @throws when it has not within 40 seconds. */
  until(expression: string, value: number): Promise<number>;
  /** The labels of each series of a metric so far. */
  series(metric: string): Promise<Record<string, string>[]>;
  /** The alerts of the docs: their expressions, and what went wrong with them. */
  alerts(): Promise<{ name: string; query: string; lastError?: string }[]>;
  stop(): Promise<void>;
}

interface DocumentedConfig {
  rule_files: string[];
  scrape_configs: { job_name: string; scrape_interval: string; static_configs: { targets: string[] }[] }[];
}

/** Starts one in `dir`, with these targets (`host:port`) in place of those that the docs name for each job. The caller stops it. */
export async function startPrometheus(dir: string, targets: Record<string, string[]>): Promise<Prometheus> {
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const file = join(dir, 'prometheus.yml');
  writeFileSync(file, configWith(targets));
  const log = join(dir, 'log');
  const descriptor = openSync(log, 'w');
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  const child = spawn(
    programPath('prometheus') ?? 'prometheus',
    [`--config.file=${file}`, `--storage.tsdb.path=${join(dir, 'data')}`, listen],
    { stdio: ['ignore', descriptor, descriptor] },
  );
  const base = `http://127.0.0.1:${port}`;
  if (!(await isReady(base, child))) {
    await end(child);
    throw new Error(`prometheus is not ready:\n${readFileSync(log, 'utf8')}`);
  }
  const query: Prometheus['query'] = async (expression, atSeconds) => {
    const time = atSeconds === undefined ? {} : { time: String(atSeconds) };
    const data = await ask(`${base}/api/v1/query?${new URLSearchParams({ query: expression, ...time })}`);
    const { result } = data as { result: { metric: Record<string, string>; value: [number, string] }[] };
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  };
  return {
    query,
    async until(expression, value) {
      const giveUpAt = Date.now() + SEEN_MS;
      for (;;) {
        const nowMs = Date.now();
        const [found] = await query(expression, nowMs / 1000);
        if (found?.value === value) return nowMs / 1000;
        if (nowMs > giveUpAt) throw new Error(`${expression} is ${found?.value}, expected ${value}`);
        await delay(50);
      }
    },
    async series(metric) {
      const data = await ask(`${base}/api/v1/series?${new URLSearchParams({ 'match[]': metric })}`);
      return data as Record<string, string>[];
    },
    async alerts() {
      const data = await ask(`${base}/api/v1/rules?type=alert`);
      const { groups } = data as { groups: { rules: { name: string; query: string; lastError?: string }[] }[] };
      return groups.flatMap(({ rules }) => rules);
    },
    stop: () => end(child),
  };
}

function configWith(targets: Record<string, string[]>): string {
  const documented = parse(readFileSync(DOCUMENTED, 'utf8')) as DocumentedConfig;
  const scrape_configs = documented.scrape_configs.map((job) => {
    const own = targets[job.job_name];
    if (!own) throw new Error(`${DOCUMENTED} has a job ${job.job_name}, for which this test has no targets`);
    return { ...job, scrape_interval: '500ms', static_configs: [{ targets: own }] };
  });
  const rule_files = documented.rule_files.map((name) => resolve(dirname(DOCUMENTED), name));
  return stringify({ global: { evaluation_interval: '500ms', scrape_timeout: '500ms' }, rule_files, scrape_configs });
}

async function ask(url: string): Promise<unknown> {
  const { body } = await sendRequest(url);
  const { status, data, error } = body as { status: string; data: unknown; error?: string };
  if (status !== 'success') throw new Error(`${error}: ${decodeURIComponent(url)}`);
  return data;
}

async function isReady(base: string, child: ChildProcess): Promise<boolean> {
  const giveUpAt = Date.now() + READY_MS;
  while (child.exitCode === null && child.signalCode === null && Date.now() < giveUpAt) {
    const answer = await sendRequest(`${base}/-/ready`).catch(() => undefined);
    if (answer?.status === 200) return true;
    await delay(20);
  }
  return false;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
