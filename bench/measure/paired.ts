/** Measures one thing once; resolves with a figure, or with several. */
export type Measurement<T> = (signal: AbortSignal) => Promise<T>;

export interface Rounds {
  warmups: number;
  rounds: number;
}

/**
 * Measures several things in turn, A B C, B C A, C A B, …, so that none always comes first and what changes on the machine
 * meets all. Results by name, one a round; those of warm-up rounds are dropped.
 */
export async function paired<T, Name extends string>(
  measurements: Record<Name, Measurement<T>>,
  { warmups, rounds }: Rounds,
  signal: AbortSignal,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(measurements) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, T[]>;
  for (let round = -warmups; round < rounds; round += 1) {
    const first = (round + warmups) % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      signal.throwIfAborted();
      const result = await measurements[name](signal);
      if (round >= 0) results[name].push(result);
    }
  }
  return results;
}
