import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Answer as HttpAnswer, type Request, sendRequest } from '../../helpers/send-request.ts';
import { standing } from './attempt.ts';
import type { World } from './world.ts';

/** Sends a request that is at fault; nothing of the agent's changes, and everything stands as it should. */
export async function refusedUntouched(
  world: World,
  path: string,
  { at = world.controller.url, ...request }: Request & { at?: string },
): Promise<HttpAnswer> {
  const before = everythingOf(world);
  const answer = await sendRequest(at + path, request);
  expect(everythingOf(world)).toEqual(before);
  expect(await standing(world)).toEqual([]);
  return answer;
}

/** Every path of the agent's, with its inode and when it was changed last. */
function everythingOf({ home: { root } }: World): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((path) => `${path} ${lstatSync(join(root, path)).ino} ${lstatSync(join(root, path)).ctimeMs}`)
    .sort();
}
