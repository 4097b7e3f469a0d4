import { DeployError } from '@sampan/shared/errors.ts';
import type { FastifyRequest } from 'fastify';
import type { RefusalTrail } from '../auth/refusal-trail.ts';
import { includesScope } from '../auth/scopes.ts';
import type { TokenUse } from '../auth/token-use.ts';
import type { Presented, Token, Tokens } from '../auth/tokens.ts';
import type { Caller } from './caller.ts';
import { checkOrigin, type OwnNames } from './check-origin.ts';
import { type AddressList, clientAddress, clientKey } from './client-address.ts';
import type { ControllerApp } from './controller-app.ts';
import { FailureLimit } from './failure-limit.ts';
import { presentedToken } from './presented-token.ts';
import { projectNamed } from './project-named.ts';
import type { RouteAccess } from './route-access.ts';

/** Who gets in. */
export interface AccessRules extends OwnNames {
  tokensRequired: boolean;
  /** Whether other machines can call. */
  isReachable: boolean;
  allowedClients: AddressList;
  trustedProxies: AddressList;
}

/** What the door asks, and tells. */
export interface AccessServices {
  tokens: Tokens;
  tokenUse: TokenUse;
  refusals: RefusalTrail;
}

/** Every request passes here, before its body is read, and once more when it is known which project it means. */
export function guard(app: ControllerApp, rules: AccessRules, services: AccessServices): void {
  const door = new Door(rules, services);
  app.decorateRequest('caller', undefined);
  app.addHook('onRequest', async (request) => {
    checkOrigin(request, rules);
    request.caller = await door.enter(request);
  });
  app.addHook('preHandler', async (request) => door.checkProject(request));
}

/** What is asked for: a route as it declares itself, or an address where there is none. */
type Asked = RouteAccess | 'nowhere';

type BadToken = Exclude<Presented, { kind: 'good' }>;

/**
 * The one place that decides who gets in.
 *
 * INVARIANTS: what is not declared public needs a token, or one of the ways around it that the configuration opens, all of
 * them in `#withoutToken`. Where tokens are required, one that is brought must be good, even where it could be left out. A good
 * one is never held up by others' failures.
 */
class Door {
  readonly #rules: AccessRules;
  readonly #services: AccessServices;
  readonly #limit = new FailureLimit();
  #hasWarnedOfProxy = false;

  constructor(rules: AccessRules, services: AccessServices) {
    this.#rules = rules;
    this.#services = services;
  }

  /** @throws DeployError that says why not. */
  async enter(request: FastifyRequest): Promise<Caller> {
    const address = clientAddress(request.raw, this.#rules.trustedProxies);
    const asked = askedFor(request);
    if (asked === 'public') return { who: 'anybody', address };
    const secret = this.#rules.tokensRequired ? presentedToken(request.headers) : undefined;
    if (secret === undefined) return this.#withoutToken(asked, { request, address });
    const presented = await this.#services.tokens.present(secret);
    if (presented.kind !== 'good') throw this.#turnAway(presented, request, address);
    const { token } = presented;
    const caller = { who: `token ${token.name}`, address, token };
    this.#checkScope(asked, request, caller);
    this.#services.tokenUse.note(token.id);
    return caller;
  }

  /** A token that is bound to projects is good for those alone. @throws DeployError PROJECT_FORBIDDEN. */
  checkProject(request: FastifyRequest): void {
    const { caller } = request;
    const asked = askedFor(request);
    if (asked === 'public' || asked === 'nowhere' || asked.project === 'found' || !caller?.token?.projects) return;
    const project = asked.project === 'named' ? projectNamed(request) : '';
    const { projects } = caller.token;
    if (project !== '' && projects.includes(project)) return;
    const error = new DeployError('PROJECT_FORBIDDEN', { project, allowed: projects.join(', ') });
    this.#tell(error, request, caller);
    throw error;
  }

  #withoutToken(asked: Asked, { request, address }: { request: FastifyRequest; address: string }): Caller {
    const { tokensRequired, isReachable, allowedClients } = this.#rules;
    const isOpen = asked === 'nowhere' || (asked !== 'public' && asked.documented) || (!tokensRequired && !isReachable);
    if (isOpen && allowedClients.includes(address)) return { who: 'allow_ips', address };
    // What arrives where only this machine can call. The configuration lets no other listen without tokens and without a list.
    if (!tokensRequired && !isReachable && allowedClients.isEmpty) {
      this.#warnOfProxy(request);
      return { who: 'loopback', address };
    }
    if (tokensRequired) throw new DeployError('TOKEN_MISSING', {});
    const error = isOpen ? new DeployError('CLIENT_FORBIDDEN', { address }) : new DeployError('ROUTE_CLOSED', {});
    this.#tell(error, request, { who: 'unknown', address });
    throw error;
  }

  /** One on this machine makes everybody look like this machine. */
  #warnOfProxy({ headers, log }: FastifyRequest): void {
    if (this.#hasWarnedOfProxy || !(headers['x-forwarded-for'] || headers.forwarded)) return;
    this.#hasWarnedOfProxy = true;
    log.warn('a proxy brings others here, and nobody asks who they are: name it in auth.trusted_proxies');
  }

  #checkScope(asked: Exclude<Asked, 'public'>, request: FastifyRequest, caller: Caller & { token: Token }): void {
    const { scopes } = caller.token;
    if (asked === 'nowhere' || includesScope(scopes, asked.scope)) return;
    const error = new DeployError('SCOPE_MISSING', { scope: asked.scope, granted: scopes.join(', ') });
    this.#tell(error, request, caller);
    throw error;
  }

  /** Why a token is not good. Whoever keeps trying is no longer told. */
  #turnAway(presented: BadToken, request: FastifyRequest, address: string): DeployError {
    const error =
      presented.kind === 'expired'
        ? new DeployError('TOKEN_EXPIRED', { at: presented.token.expiresAt ?? '' })
        : new DeployError('TOKEN_INVALID', {});
    const who = presented.kind === 'unknown' ? 'unknown' : `token ${presented.token.name}`;
    this.#tell(error, request, { who, address });
    const waitMs = this.#limit.failed(clientKey(address));
    if (waitMs === undefined) return error;
    return new DeployError('TOO_MANY_FAILURES', { seconds: Math.ceil(waitMs / 1000) });
  }

  #tell({ code, params }: DeployError, request: FastifyRequest, { who, address }: Caller): void {
    const { method } = request;
    const route = request.routeOptions.url ?? 'unknown';
    const project = 'project' in params ? { project: params.project } : {};
    const key = [clientKey(address), who, code, ...(who === 'unknown' ? [] : [method, route])].join(' ');
    this.#services.refusals.refused({ key, who, address, details: { code, method, route, ...project } });
  }
}

/** A route that has not declared its access does not exist: the application would not have started. */
function askedFor(request: FastifyRequest): Asked {
  if (request.is404) return 'nowhere';
  const { access } = request.routeOptions.config;
  if (!access) throw new Error(`${request.routeOptions.url} does not declare its access`);
  return access;
}
