import type { Metrics } from '../metrics.ts';
import type { ControllerApp } from './controller-app.ts';

/** `/metrics` for Prometheus; every request of a known route is counted and timed. */
export function metricsRoute(app: ControllerApp, metrics: Metrics): void {
  app.get(
    '/metrics',
    { config: { access: 'public' }, schema: { summary: 'Prometheus 指标' } },
    async (_request, reply) => {
      reply.type(metrics.registry.contentType);
      return await metrics.registry.metrics();
    },
  );
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.requestFinished({ route, statusCode: reply.statusCode, seconds: reply.elapsedTime / 1000 });
  });
}
