import type { ConfigFile } from './installed-config.ts';
import { listOf, sectionsOf } from './program-groups.ts';
import { refusal } from './refuse.ts';

/** Supervisor knows programs and groups of all kinds by one name each. */
const KINDS = ['program', 'group', 'fcgi-program', 'eventlistener'];

/**
 * A program or group of the same name in another file is another project's: supervisor would mix the two, key by key.
 * @throws DeployError PROGRAM_CONFIG_REFUSED that names the other file.
 */
export function assertNamesFree(names: readonly string[], others: readonly ConfigFile[]): void {
  for (const { path, ini } of others) {
    for (const kind of KINDS) {
      for (const [name, section] of sectionsOf(ini, kind)) {
        const taken = names.find(
          (own) => own === name || (kind === 'group' && listOf(section, 'programs').includes(own)),
        );
        if (taken !== undefined) {
          throw refusal(
            `[program:${taken}]`,
            `already in [${section.name}] of ${path}`,
            'a name that no other file uses',
          );
        }
      }
    }
  }
}
