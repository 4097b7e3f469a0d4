/**
 * Calls `listener` once, as soon as one of the signals is aborted; what it returns stops listening. Throws at once where one is.
 *
 * Done at every call to every agent, so not with `AbortSignal.any`: that makes one more signal of each, and weak references to it.
 */
export function onAbort(signals: readonly AbortSignal[], listener: () => void): () => void {
  for (const signal of signals) signal.throwIfAborted();
  const stop = () => {
    for (const signal of signals) signal.removeEventListener('abort', once);
  };
  const once = () => {
    stop();
    listener();
  };
  for (const signal of signals) signal.addEventListener('abort', once);
  return stop;
}

/** What the first of the signals that is aborted was aborted with. */
export function abortReason(signals: readonly AbortSignal[]): { reason: unknown } | undefined {
  const aborted = signals.find((signal) => signal.aborted);
  return aborted && { reason: aborted.reason as unknown };
}
