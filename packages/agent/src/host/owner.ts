import { z } from 'zod';
import { runCommand } from './run-command.ts';

/** Numeric ids, as system calls take them. */
export interface Owner {
  uid: number;
  gid: number;
}

/**
 * Looks `user` or `user:group` up through NSS (getent), so that users from a directory service are found too.
 * @throws Error that names the user or group which this host does not know.
 */
export async function resolveOwner(text: string, signal: AbortSignal): Promise<Owner> {
  const [user = '', group] = text.split(':');
  const passwd = await lookUp('passwd', user, signal);
  const uid = id.parse(passwd[2]);
  const gid = id.parse(group === undefined ? passwd[3] : (await lookUp('group', group, signal))[2]);
  return { uid, gid };
}

const id = z.coerce.number().int().min(0);

async function lookUp(database: 'passwd' | 'group', name: string, signal: AbortSignal): Promise<string[]> {
  const found = await runCommand({ argv: ['getent', database, name], timeoutMs: 10_000 }, signal);
  if (!found.ok) throw new Error(`${database === 'passwd' ? 'user' : 'group'} ${name} is not known on this host`);
  return found.stdout.trim().split(':');
}
