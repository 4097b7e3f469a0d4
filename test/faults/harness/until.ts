import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 2;

/** Resolves once something outside of this process is so. @throws when it is not within `timeoutMs`. */
export async function until(what: string, isSo: () => boolean, timeoutMs = 20_000): Promise<void> {
  for (const giveUpAt = performance.now() + timeoutMs; !isSo(); ) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(EVERY_MS);
  }
}
