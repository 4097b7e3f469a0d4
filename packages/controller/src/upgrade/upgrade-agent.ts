import { setTimeout as delay } from 'node:timers/promises';
import { asDeployError, DeployError } from '@sampan/shared/errors.ts';
import type { GetStatusResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/GetStatusResponse.ts';
import type { AgentAddress } from '../agents/agent-address.ts';
import { isLoss } from '../agents/agent-loss.ts';
import type { AgentPool } from '../agents/agent-pool.ts';
import { getStatus } from '../agents/get-status.ts';
import type { AgentPackage } from './agent-package.ts';
import { sendPackage } from './send-package.ts';

/** What became of one host's agent. `found` is the version that answered before. */
export type Upgraded =
  | { kind: 'upgraded'; found: string }
  | { kind: 'unchanged'; found: string }
  | { kind: 'newer'; found: string }
  | { kind: 'failed'; found: string; error: DeployError };

/** How an agent is upgraded. `mayDowngrade`: also where it runs a newer version. */
export interface UpgradeOrder {
  agents: AgentPool;
  address: AgentAddress;
  agentPackage: AgentPackage;
  mayDowngrade: boolean;
}

const ASK_EVERY_MS = 1_000;
/** For deploys that run, and for the new version to come up or to be taken back: its unit is given five minutes to be ready. */
const BUSY_MS = 2 * 60_000;
const COMES_UP_MS = 12 * 60_000;

/** Has one agent replace itself, and waits until the new version answers, or the one before, as it was taken back. Never throws. */
export async function upgradeAgent(order: UpgradeOrder, signal: AbortSignal): Promise<Upgraded> {
  let found = '?';
  try {
    found = (await statusOf(order, signal)).version;
    if (found === order.agentPackage.version) return { kind: 'unchanged', found };
    if (!order.mayDowngrade && isNewer(found, order.agentPackage.version)) return { kind: 'newer', found };
    await send(order, signal);
    await comesUp(order, signal);
    return { kind: 'upgraded', found };
  } catch (error) {
    return { kind: 'failed', found, error: told(error) };
  }
}

async function send({ agents, address, agentPackage }: UpgradeOrder, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + BUSY_MS;
  for (;;) {
    try {
      await sendPackage(await agents.connect(address, signal), agentPackage);
      return;
    } catch (error) {
      if (!DeployError.is(error, 'AGENT_BUSY') || performance.now() > untilMs) throw error;
    }
    await delay(ASK_EVERY_MS, undefined, { signal });
  }
}

async function comesUp(order: UpgradeOrder, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + COMES_UP_MS;
  for (;;) {
    await delay(ASK_EVERY_MS, undefined, { signal });
    try {
      const { version, upgradeState, upgradeDetail } = await statusOf(order, signal);
      if (upgradeState === 'installed' && version === order.agentPackage.version) return;
      if (upgradeState === 'failed') throw new DeployError('UPGRADE_REFUSED', { reason: upgradeDetail });
      if (performance.now() > untilMs) throw new DeployError('DEADLINE_EXCEEDED', { seconds: COMES_UP_MS / 1000 });
    } catch (error) {
      if (!isLoss(error) || performance.now() > untilMs) throw error;
    }
  }
}

async function statusOf({ agents, address }: UpgradeOrder, signal: AbortSignal): Promise<GetStatusResponse__Output> {
  return await getStatus(await agents.connect(address, signal), signal);
}

/** By numbers, where both are made of them: 0.10.0 comes after 0.9.0. */
function isNewer(one: string, other: string): boolean {
  return one.localeCompare(other, 'en', { numeric: true }) > 0;
}

function told(error: unknown): DeployError {
  if (isLoss(error) && !DeployError.is(error)) return new DeployError('AGENT_UNREACHABLE', { reason: error.reason });
  return asDeployError(error);
}
