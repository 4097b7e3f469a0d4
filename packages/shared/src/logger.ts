import { destination, type Logger, pino } from 'pino';

export type { Logger };

/** The process's log: JSON lines on stderr, so that stdout stays for what was asked for. Secrets print as `[redacted]`. */
export function createLogger(name: string, level: string): Logger {
  const redact = {
    paths: ['token', 'authorization', 'headers.authorization', '*.authorization', '*.app_token'],
    censor: '[redacted]',
  };
  return pino({ name, level, redact, base: { name, pid: process.pid } }, destination({ dest: 2, sync: true }));
}
