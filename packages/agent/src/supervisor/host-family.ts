import { readFile } from 'node:fs/promises';
import { DeployError } from '@sampan/shared/errors.ts';

/** The kinds of system whose supervisor packages put configs in different places, called as `os_system` calls them. */
export type HostFamily = 'centos' | 'ubuntu';

const families: Record<HostFamily, readonly string[]> = {
  centos: [
    'rhel',
    'centos',
    'fedora',
    'rocky',
    'almalinux',
    'ol',
    'amzn',
    'anolis',
    'alinux',
    'openEuler',
    'tencentos',
  ],
  ubuntu: ['debian', 'ubuntu', 'linuxmint', 'deepin'],
};

/** The family of this host by os-release; undefined where it is neither. */
export async function hostFamily(osRelease = '/etc/os-release'): Promise<HostFamily | undefined> {
  const text = await readFile(osRelease, 'utf8').catch(() => '');
  const ids = [...text.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].flatMap(([, value = '']) =>
    value.replace(/["']/g, '').split(/\s+/),
  );
  const of = (family: HostFamily) => ids.some((id) => families[family].includes(id));
  return of('centos') ? 'centos' : of('ubuntu') ? 'ubuntu' : undefined;
}

/**
 * Whether `os_system` is what this host is; empty says nothing, and a host of neither family contradicts nobody.
 * @throws DeployError OS_MISMATCH
 */
export function assertFamily(osSystem: string, family: HostFamily | undefined): void {
  if (osSystem === '' || family === undefined || osSystem.toLowerCase() === family) return;
  throw new DeployError('OS_MISMATCH', { found: osSystem, expected: family });
}
