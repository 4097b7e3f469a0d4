import type { Logger } from '@sampan/shared/logger.ts';
import { RefusalTrail } from '../auth/refusal-trail.ts';
import { TokenUse } from '../auth/token-use.ts';
import { isLive, Tokens } from '../auth/tokens.ts';
import { areTokensRequired, type ControllerConfig, isReachable } from '../config.ts';
import type { Store } from '../store/store.ts';
import { AddressList } from './client-address.ts';
import type { AccessRules, AccessServices } from './door.ts';

/** Who gets in, as the configuration says. */
export function accessRules(config: ControllerConfig): AccessRules {
  return {
    publicHosts: config.public_hosts,
    tokensRequired: areTokensRequired(config),
    isReachable: isReachable(config),
    allowedClients: new AddressList(config.auth.allow_ips),
    trustedProxies: new AddressList(config.auth.trusted_proxies),
  };
}

/** What the door works with. */
export function accessServices({ db, later }: Store): AccessServices {
  return { tokens: new Tokens(db), tokenUse: new TokenUse(later), refusals: new RefusalTrail(later) };
}

/** Says in the log what whoever runs this controller should know of its doors. */
export async function warnOfOpenDoors(
  config: ControllerConfig,
  { tokens }: AccessServices,
  log: Logger,
): Promise<void> {
  const { auth, tls } = config;
  if (areTokensRequired(config)) {
    const live = (await tokens.list()).filter(isLive);
    if (live.length === 0)
      log.warn('tokens are required, and there is none: make one with sampan-controller token create');
    if (isReachable(config) && tls === null && auth.trusted_proxies.length === 0) {
      log.warn('without tls, tokens and all that they open travel in clear');
    }
  } else if (isReachable(config)) {
    log.warn(
      { allowIps: auth.allow_ips },
      'auth.tokens is off: these clients may deploy, and nobody asks who they are',
    );
  }
}
