import type { ControllerApp } from './controller-app.ts';

/** What decides whether new requests are welcome. */
export interface Readiness {
  isDraining(): boolean;
  /** Why nothing can be written down now; undefined when it can. */
  storeFault(): Promise<string | undefined>;
}

/** `/healthz`: the process lives. `/readyz`: it takes requests; 503 while it stops, or cannot write down what it is told to do. */
export function healthRoutes(app: ControllerApp, { isDraining, storeFault }: Readiness): void {
  const config = { access: 'public' } as const;
  app.get('/healthz', { config, exposeHeadRoute: true, schema: { summary: '存活检查' } }, () => ({ status: 'ok' }));
  app.get(
    '/readyz',
    { config, exposeHeadRoute: true, schema: { summary: '就绪检查: 停止过程中或数据库无法写入时返回 503' } },
    async (_request, reply) => {
      const fault = isDraining() ? undefined : await storeFault();
      if (isDraining() || fault !== undefined) void reply.code(503);
      if (isDraining()) return { status: 'draining' };
      return fault === undefined ? { status: 'ready' } : { status: 'database cannot be written', reason: fault };
    },
  );
}
