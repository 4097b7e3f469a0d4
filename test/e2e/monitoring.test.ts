import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programPath, requires } from '../helpers/requires.ts';
import type { Sample } from '../helpers/start-prometheus.ts';
import { startWatched, type Watched } from '../helpers/start-watched.ts';

interface Panel {
  id: number;
  type: string;
  title: string;
  datasource?: { type: string; uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; legendFormat: string; datasource: { type: string; uid: string } }[];
}

interface Dashboard {
  panels: Panel[];
  templating: { list: { name: string; type: string; definition?: string }[] };
}

const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const dashboard = JSON.parse(readFileSync(join(docs, 'grafana-dashboard.json'), 'utf8')) as Dashboard;
const targets = dashboard.panels.flatMap(({ title, targets: all = [] }) =>
  all.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
);

/** Node's own metrics are many, and the dashboard shows a few of them. */
const OURS = /^sampan_(?!agent_(process|nodejs)_)/;

/** `name{` of each selector. The dashboard and the alerts write braces, and no functions with braces. */
const SELECTOR = /([a-zA-Z_:][\w:]*)\{([^}]*)\}/g;
const MATCHER = /(\w+)\s*(?:=~|!~|!=|=)/g;

interface Selector {
  metric: string;
  labels: string[];
}

function selectorsIn(expression: string): Selector[] {
  return [...expression.matchAll(SELECTOR)].map(([, metric = '', matchers = '']) => ({
    metric,
    labels: [...matchers.matchAll(MATCHER)].map(([, label = '']) => label),
  }));
}

/** The labels that the result has to have: those that it is added up by, and those that the legend names. */
function labelsShown({ expr, legendFormat }: { expr: string; legendFormat: string }): string[] {
  const legend = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
  const by = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/,\s*/));
  // What histogram_quantile takes, it does not give back.
  return [...new Set([...legend, ...by.filter((label) => label !== 'le')])];
}

/** What Grafana does to an expression before it sends it, with intervals for a test that lasts seconds. */
function filledIn(expression: string, variables: Record<string, string>): string {
  return Object.entries(variables).reduce((text, [name, value]) => text.replaceAll(name, value), expression);
}

describe('the dashboard', () => {
  it('asks the data source that is chosen, everywhere', () => {
    const chosen = { type: 'prometheus', uid: '$datasource' };
    expect(dashboard.templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    const asking = dashboard.panels.filter(({ type }) => type !== 'row');
    for (const { datasource, targets: all = [] } of asking) {
      expect([datasource, ...all.map((target) => target.datasource)]).toEqual(Array(all.length + 1).fill(chosen));
    }
  });

  it('has each panel once, in a place of its own', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  });
});

describe.runIf(requires('prometheus'))(
  'in a real Prometheus, after deploys by a real controller to two real agents',
  () => {
    let watched: Watched;
    let ask: (expression: string) => Promise<Sample[]>;

    beforeAll(async () => {
      watched = await startWatched();
      ask = (expression) =>
        watched.prometheus.query(
          filledIn(expression, {
            $controller: watched.controller,
            $agent: watched.agents.join('|'),
            $__rate_interval: '5m',
            $__interval: '5m',
          }),
          watched.atSeconds,
        );
    });
    afterAll(() => watched?.stop());

    /** Each selector has to be of a metric that is there, whose series have the labels that it chooses by. */
    async function unknownIn(expressions: readonly string[]): Promise<string[]> {
      const selectors = expressions.flatMap(selectorsIn);
      expect(selectors.length).toBeGreaterThanOrEqual(expressions.length);
      const unknown = await Promise.all(
        selectors.map(async ({ metric, labels }) => {
          const series = await watched.prometheus.series(metric);
          const isKnown = series.length > 0 && labels.every((label) => series.every((one) => label in one));
          return isKnown ? [] : [`${metric}{${labels.join()}}`];
        }),
      );
      return [...new Set(unknown.flat())];
    }

    it('each metric and label that the dashboard names is there', async () => {
      expect(await unknownIn(targets.map(({ expr }) => expr))).toEqual([]);
      const lists = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
      expect(lists).toEqual([
        'label_values(sampan_agents, instance)',
        'label_values(sampan_agent_running_operations, instance)',
      ]);
      expect(
        await unknownIn(lists.map((list) => list.replace(/^label_values\((\w+), (\w+)\)$/, '$1{$2="x"}'))),
      ).toEqual([]);
    });

    it.each(targets)('$title has data: $expr', async ({ title, ...target }) => {
      const samples = await ask(target.expr);
      expect(samples.filter(({ value }) => Number.isFinite(value)).length).toBeGreaterThan(0);
      const lacking = labelsShown(target).filter((label) => samples.some(({ metric }) => !metric[label]));
      expect(lacking).toEqual([]);
    });

    it('the panels say what has happened', async () => {
      const shown = async (title: string) => {
        const samples = await ask(targets.find((target) => target.title === title)?.expr ?? '');
        return Object.fromEntries(samples.map(({ metric, value }) => [Object.values(metric).join(' '), value]));
      };
      expect(await shown('Hosts that failed in the last hour')).toEqual({ '': 3 * watched.rounds });
      expect(await shown('Host outcomes by code')).toEqual({
        OK: 2 * watched.rounds,
        DOWNLOAD_HTTP_STATUS: 2 * watched.rounds,
        AGENT_UNREACHABLE: watched.rounds,
      });
      expect(await shown('Rollouts that ended')).toEqual({
        'deploy succeeded': watched.rounds,
        'deploy failed': watched.rounds,
      });
      expect(await shown('Agents by reachability')).toEqual({ connected: 2, unreachable: 1 });
    });

    it('no metric of ours is left without a panel', () => {
      const families = [...watched.exposed.matchAll(/^# TYPE (\w+) \w+$/gm)].map(([, name = '']) => name);
      const ours = [...new Set(families.filter((name) => OURS.test(name)))];
      expect(ours.length).toBeGreaterThan(8);
      const shown = targets.flatMap(({ expr }) => selectorsIn(expr)).map(({ metric }) => metric);
      const isShown = (name: string) => shown.some((metric) => metric.replace(/_(bucket|sum|count)$/, '') === name);
      expect(ours.filter((name) => !isShown(name))).toEqual([]);
    });

    it('each metric and label that the alerts name is there, and nothing is wrong with them', async () => {
      const alerts = await watched.prometheus.alerts();
      expect(alerts.length).toBeGreaterThan(5);
      expect(alerts.filter(({ lastError }) => lastError)).toEqual([]);
      expect(await unknownIn(alerts.map(({ query }) => query))).toEqual([]);
    });

    it('the alerts fire when they should, and not when they should not', () => {
      const cases = fileURLToPath(new URL('../fixtures/prometheus-alerts.test.yml', import.meta.url));
      const { status, stdout, stderr } = spawnSync(programPath('promtool') ?? 'promtool', ['test', 'rules', cases], {
        encoding: 'utf8',
        timeout: 30_000,
      });
      expect({ status, failures: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, failures: '' });
      const named = [...readFileSync(cases, 'utf8').matchAll(/alertname: (\w+)/g)].map(([, name]) => name);
      const written = [...readFileSync(join(docs, 'prometheus-alerts.yml'), 'utf8').matchAll(/- alert: (\w+)/g)];
      expect([...new Set(named)].sort()).toEqual(written.map(([, name]) => name).sort());
    });
  },
);
