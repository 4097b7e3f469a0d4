import { spawn } from 'node:child_process';
import type { Logger } from './logger.ts';

/** Tells systemd that a unit of `Type=notify` is ready; nothing where `socket` ($NOTIFY_SOCKET) is not set. A failure is logged: systemd then ends what it waits for. */
export function notifyReady(socket: string | undefined, log: Logger): void {
  if (socket === undefined) return;
  const failed = (reason: unknown) => log.error({ reason }, 'systemd could not be told that this is ready');
  spawn('systemd-notify', ['--ready'], { stdio: 'ignore', timeout: 10_000 })
    .on('error', failed)
    .on('exit', (code, signal) => {
      if (code !== 0) failed(signal ?? `exit ${code}`);
    });
}
