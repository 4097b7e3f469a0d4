import { describe } from 'vitest';
import { requires } from '../../helpers/requires.ts';
import { agentKilled } from '../cases/agent-killed.ts';
import { runCases } from '../harness/run-cases.ts';

describe.runIf(requires('strace', 'supervisord'))('the agent is killed -9, and comes back at once', () => {
  runCases('agent killed -9', agentKilled, {
    speed: 'slow',
    stage: () => undefined,
    except: ['at every rename/fsync/symlink call, one by one', 'at 200 random times'],
  });
});
