import type { Scope } from '../../auth/scopes.ts';
import type { RouteAccess } from '../route-access.ts';

/** Who may call a documented endpoint: each names one project. */
export function documentedAccess(scope: Scope): { access: RouteAccess } {
  return { access: { scope, documented: true, project: 'named' } };
}
