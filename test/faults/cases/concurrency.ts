import { expect } from 'vitest';
import { sendRequest } from '../../helpers/send-request.ts';
import { DEPLOYED } from '../harness/answer.ts';
import { standing } from '../harness/attempt.ts';
import { versionAt } from '../harness/invariants.ts';
import type { CaseTable } from '../harness/run-cases.ts';
import { World } from '../harness/world.ts';
import { eightAtOnce } from './eight-at-once.ts';
import { retentionAgainstDeploys } from './retention-race.ts';
import { flipUnderReader } from './ten-thousand-flips.ts';
import { twoHundredDeploys } from './two-hundred-deploys.ts';

export const concurrency: CaseTable<'concurrency', void> = {
  'the same request twice at once': {
    speed: 'fast',
    async run() {
      const world = await World.open();
      try {
        const made = world.next();
        const body = world.request(made);
        const send = () => sendRequest(`${world.controller.url}/deploy`, { method: 'POST', body });
        const [one, other] = await Promise.all([send(), send()]);
        expect([one.body, other.body]).toEqual([DEPLOYED, DEPLOYED]);
        expect(one.headers['sampan-operation-id']).toBe(other.headers['sampan-operation-id']);
        expect(world.origin.requests(`/${made.filename}`)).toBe(1);
        const starts = world.agent.log.filter(
          ({ msg, brings }) => msg === 'operation started' && brings === made.version,
        );
        expect(starts.map(({ phase }) => phase)).toEqual(['stage', 'activate']);
        expect(versionAt(world.base, world.linkName)).toBe(made.version);
        expect(await standing(world)).toEqual([]);
        return { outcome: `${DEPLOYED.data}, both; done once` };
      } finally {
        await world.close();
      }
    },
  },
  'eight deploys to one link, 200 times': {
    speed: 'slow',
    run: () => eightAtOnce({ rounds: 200, seed: 20_260_801 }),
  },
  'retention against a running deploy': { speed: 'slow', run: retentionAgainstDeploys },
  'a reader that resolves the link through 10,000 flips sees no ENOENT': {
    speed: 'slow',
    run: () => flipUnderReader(10_000),
  },
  'after 200 deploys, half of them failing, everything is back where it started': {
    speed: 'slow',
    run: twoHundredDeploys,
  },
};
