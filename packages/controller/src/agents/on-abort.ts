/** Calls `listener` once, when the signal is aborted; what it returns stops listening. Throws at once where it is. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  signal.throwIfAborted();
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
