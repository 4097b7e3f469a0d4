import { describe } from 'vitest';
import { requires } from '../../helpers/requires.ts';
import { network } from '../cases/network.ts';
import { runCases } from '../harness/run-cases.ts';

const canBeMade = requires('root', 'ip', 'nft', 'nsenter', 'network namespaces', 'mounts');

// Each waits for deadlines most of its time.
describe.runIf(canBeMade)('a network', { concurrent: true }, () => {
  runCases('network', network, { speed: 'slow', stage: () => undefined });
});
