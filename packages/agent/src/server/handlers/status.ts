import { statfs } from 'node:fs/promises';
import type { GetStatusResponse } from '@sampan/shared/gen/sampan/agent/v1/GetStatusResponse.ts';
import { VERSION } from '@sampan/shared/version.ts';
import type { AgentCore } from '../agent-core.ts';
import { firstExisting } from '../readiness.ts';

export async function getStatus(core: AgentCore): Promise<GetStatusResponse> {
  const { services, operations, readiness, agentId, identity, upgrade } = core;
  const checks = await readiness.checks();
  const { bavail, blocks, bsize } = await statfs(await firstExisting(services.config.state_dir));
  const { state, detail } = await upgrade.state();
  return {
    version: VERSION,
    agentId,
    ready: checks.every(({ ok }) => ok),
    checks,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    runningOperations: operations.runningCount,
    certificateExpiresAtMs: identity?.expiresAt.getTime() ?? 0,
    upgradeState: state,
    upgradeDetail: detail,
  };
}
