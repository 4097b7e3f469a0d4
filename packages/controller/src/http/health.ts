import type { ControllerApp } from './controller-app.ts';

/** `/healthz`: the process lives. `/readyz`: it takes requests; 503 while it stops. */
export function healthRoutes(app: ControllerApp, { isDraining }: { isDraining(): boolean }): void {
  app.get('/healthz', { exposeHeadRoute: true, schema: { summary: '存活检查' } }, () => ({ status: 'ok' }));
  app.get(
    '/readyz',
    { exposeHeadRoute: true, schema: { summary: '就绪检查: 停止过程中返回 503' } },
    (_request, reply) => {
      if (isDraining()) void reply.code(503);
      return { status: isDraining() ? 'draining' : 'ready' };
    },
  );
}
