import { it } from 'vitest';
import { tryRandomSequences } from '../../property/random-sequences.ts';

/** A failure prints its seed, path and replayPath: written here, they show it again. */
const SEEN: { seed?: number; path?: string; replayPath?: string } = {};

it('whatever is asked of a host, and wherever its agent dies: other sequences each time, and longer ones', {
  timeout: 300_000,
}, async () => {
  await tryRandomSequences({ runs: 1000, maxCommands: 25, withinMs: 150_000, ...SEEN });
});
