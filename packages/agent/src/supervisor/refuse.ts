import { DeployError } from '@sampan/shared/errors.ts';

const MAX_SHOWN = 120;

/** A fault in a program config: where it stands, what was found there, and what would be right. */
export function refusal(where: string, found: string, expected: string): DeployError<'PROGRAM_CONFIG_REFUSED'> {
  const shown = found.length <= MAX_SHOWN ? found : `${found.slice(0, MAX_SHOWN)}…`;
  return new DeployError('PROGRAM_CONFIG_REFUSED', { where, found: shown, expected });
}
