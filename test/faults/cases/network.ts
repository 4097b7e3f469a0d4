import { inOwnNetwork } from '../harness/in-own-network.ts';
import type { CaseTable } from '../harness/run-cases.ts';

/** A real wire between the controller and its agent, the origin on the controller's side. What happens is in `network/`. */
export const network: CaseTable<'network', void> = {
  'partition after the command was sent': { speed: 'slow', run: () => inOwnNetwork('after-the-command') },
  'partition mid-stream': { speed: 'slow', run: () => inOwnNetwork('mid-stream') },
  'partition at the last byte': { speed: 'slow', run: () => inOwnNetwork('at-the-last-byte') },
  'DNS down': { speed: 'slow', run: () => inOwnNetwork('dns-down') },
};
