/** Aborted by SIGINT or SIGTERM. Once more changes nothing: npm passes Ctrl-C on to a process that the terminal has told already. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => controller.abort());
  return controller.signal;
}
