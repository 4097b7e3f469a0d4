import type { Scope } from '../auth/scopes.ts';
import type { ControllerApp } from './controller-app.ts';

/**
 * Who may call a route: anybody, or whoever has a token of the scope.
 * `documented`: one of the five endpoints, for which `auth.allow_ips` may stand in for a token.
 * `project`: the validated request names its project (`named`), or there is none, and a token that is bound to projects is
 * refused (`none`); or it is known only to the handler, which asks for it by `assertProject` (`found`).
 */
export type RouteAccess = 'public' | { scope: Scope; documented: boolean; project: 'named' | 'none' | 'found' };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route declares it, or the application does not start. */
    access?: RouteAccess;
  }
}

/**
 * To be called before the first route: once all are there, the application does not start while one has not declared its
 * access. What is open to whom is told to the log at `debug`.
 */
export function requireDeclaredAccess(app: ControllerApp): void {
  const routes: { method: string | string[]; url: string; config?: { access?: RouteAccess } }[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  app.addHook('onReady', async () => {
    const shown = routes.flatMap(({ method: methods, url, config }) =>
      [methods].flat().map((method) => ({ route: `${method} ${url}`, access: config?.access })),
    );
    const undeclared = shown.filter(({ access }) => access === undefined);
    if (undeclared.length > 0) {
      throw new Error(`routes that do not declare their access: ${undeclared.map(({ route }) => route).join(', ')}`);
    }
    app.log.debug({ routes: shown }, 'routes');
  });
}
