import { describe } from 'vitest';
import { agentKilled } from '../cases/agent-killed.ts';
import { runCases } from '../harness/run-cases.ts';

describe('the agent is killed -9, whenever, and comes back at once', () => {
  runCases('agent killed -9', agentKilled, { speed: 'slow', stage: () => undefined, only: ['at 200 random times'] });
});
