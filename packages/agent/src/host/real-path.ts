import { realpath } from 'node:fs/promises';
import { DeployError } from '@sampan/shared/errors.ts';

/** The path as /proc shows it: every link resolved by the kernel (`fs.promises.realpath` is realpath(3), unlike `realpathSync`). */
export async function realPathOf(link: string): Promise<string> {
  try {
    return await realpath(link);
  } catch (cause) {
    throw new DeployError('RELEASE_MISSING', { link, target: '?' }, { cause });
  }
}
