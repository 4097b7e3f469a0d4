import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './world.ts';

/** How often the agent of a world has written down that it flips a link. */
export function flips({ home }: World): number {
  const journals = globSync(join(home.root, 'state/operations/*.jsonl'));
  const lines = journals.flatMap((file) => readFileSync(file, 'utf8').split('\n'));
  return lines.filter((line) => line.includes('"event":"flipping"')).length;
}
