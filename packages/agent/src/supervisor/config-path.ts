import { basename, dirname, join } from 'node:path';
import type { HostFamily } from './host-family.ts';

/** What decides where a project's config file stands. */
export interface ConfigPlace {
  /** `auto`, or a template with {project_name}. */
  confFile: string;
  /** The patterns of supervisord's [include], absolute. */
  includes: readonly string[];
  family: HostFamily | undefined;
}

/**
 * Where the config file of a project may stand, the best place first: where supervisord's own [include] looks, with
 * the ending that the host's family uses where both would do; without an [include], where the family's package looks.
 */
export function configPaths({ confFile, includes, family }: ConfigPlace, projectName: string): string[] {
  if (confFile !== 'auto') return [confFile.replaceAll('{project_name}', projectName)];
  const included = includes.flatMap((pattern) => {
    const [before, after, ...more] = basename(pattern).split('*');
    const plain = more.length === 0 && after !== undefined && !/[*?[]/.test(dirname(pattern) + before + after);
    return plain && before === ''
      ? [join(dirname(pattern), `${projectName}${after === '' ? endings[family ?? 'ubuntu'] : after}`)]
      : [];
  });
  const ending = endings[family ?? 'ubuntu'];
  const rank = (path: string) => (path.endsWith(ending) ? 0 : 1);
  if (included.length > 0) return included.toSorted((one, other) => rank(one) - rank(other));
  return [`${family === 'centos' ? '/etc/supervisord.d' : '/etc/supervisor/conf.d'}/${projectName}${ending}`];
}

const endings: Record<HostFamily, string> = { centos: '.ini', ubuntu: '.conf' };
