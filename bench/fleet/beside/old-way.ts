import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../../processes/end-with-us.ts';
import type { SshHosts } from './ssh-hosts.ts';
import type { Way } from './way.ts';

const PROGRAM = fileURLToPath(new URL('./old-way.py', import.meta.url));
/** Debian's: that is the one which has its paramiko. */
const PYTHON = '/usr/bin/python3';

/** A Python service that runs already, and logs in to all hosts at once by paramiko, a thread for each. */
export async function oldWay(ssh: SshHosts, dir: string): Promise<Way & AsyncDisposable> {
  const baseOf = (host: string) => join(dir, host);
  const [file, ...args] = endWithUs([PYTHON, PROGRAM, `${ssh.port}`, ssh.user, ssh.key, ssh.knownHosts]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout });
  const gone = ended.then((): never => {
    throw new Error(`${PYTHON} ${PROGRAM} ended:\n${said.trim()}`);
  });
  gone.catch(() => undefined);
  const answered = () => Promise.race([once(lines, 'line'), gone]);
  await answered();
  return {
    baseOf,
    isTidiedByUs: true,
    async ship({ hosts, url, name }) {
      const directories = Object.fromEntries(hosts.map((host) => [host, baseOf(host)]));
      const done = answered();
      child.stdin.write(`${JSON.stringify({ hosts: directories, url, name })}\n`);
      await done;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
