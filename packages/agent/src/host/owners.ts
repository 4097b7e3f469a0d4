import { ConfigError } from '@sampan/shared/load-config.ts';
import type { AgentConfig } from '../config.ts';
import { type Owner, resolveOwner } from './owner.ts';

/** The numeric ids behind every user that the configuration names. */
export type Owners = ReadonlyMap<string, Owner>;

/**
 * Looks up all users of the configuration, before any port opens.
 * @throws ConfigError that lists those which this host does not know, by path.
 */
export async function resolveOwners(config: AgentConfig, signal: AbortSignal): Promise<Owners> {
  const owners = new Map<string, Owner>();
  const faults: string[] = [];
  for (const { path, name } of namedUsers(config)) {
    try {
      owners.set(name, await resolveOwner(name, signal));
    } catch (error) {
      faults.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(['the configuration cannot be used:', ...faults].join('\n  '));
  return owners;
}

function namedUsers(config: AgentConfig): { path: string; name: string }[] {
  const ofChecks = { path: 'health_checks.user', name: config.health_checks.user };
  const ofLanguages = Object.entries(config.languages).flatMap(([language, { owner, hooks }]) => [
    { path: `languages.${language}.owner`, name: owner },
    { path: `languages.${language}.hooks.pre_activate.user`, name: hooks.pre_activate?.user },
    { path: `languages.${language}.hooks.post_activate.user`, name: hooks.post_activate?.user },
  ]);
  return [ofChecks, ...ofLanguages].flatMap(({ path, name }) => (name ? [{ path, name }] : []));
}
