import type { Logger } from './logger.ts';

/** What runs until it is stopped. */
export interface Stoppable {
  stop(): Promise<void>;
}

/** npm and npx pass Ctrl-C on to a program that the terminal has told already: two SIGINT closer than this are one. */
const SAME_CTRL_C_MS = 1000;

/**
 * Stops the process in order on SIGTERM or SIGINT: exit status 0, or 1 when stopping fails. Asked once more, it ends at
 * once with 130. Call it before what starts says that it is ready: a signal during the start waits for its end.
 */
export function stopOnSignal(starting: Promise<Stoppable>, log: Logger): void {
  let stoppingSince: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      const sinceMs = stoppingSince === undefined ? undefined : performance.now() - stoppingSince;
      if (sinceMs === undefined) {
        stoppingSince = performance.now();
        void stop(starting, log);
      } else if (signal === 'SIGTERM' || sinceMs > SAME_CTRL_C_MS) {
        process.exit(130);
      }
    });
  }
}

async function stop(starting: Promise<Stoppable>, log: Logger): Promise<void> {
  try {
    await (await starting).stop();
    process.exit(0);
  } catch (error) {
    log.error({ err: error }, 'stopping failed');
    process.exit(1);
  }
}
