import type { CheckHealthRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/CheckHealthRequest.ts';
import type { CheckHealthResponse } from '@sampan/shared/gen/sampan/agent/v1/CheckHealthResponse.ts';
import { checkedPlace } from '../../deploy/checked-place.ts';
import { attemptCheck } from '../../health/attempt-check.ts';
import { checkName, expectedOf } from '../../health/health-check.ts';
import { realPathOf } from '../../host/real-path.ts';
import { layoutOf } from '../../releases/layout.ts';
import type { AgentCore } from '../agent-core.ts';
import { parseHealthCheck } from '../parse-health-check.ts';
import { invalid, parseTarget } from '../parse-request.ts';

/** One attempt, on what is current; `signal` ends it. */
export async function checkHealth(
  { services }: AgentCore,
  request: CheckHealthRequest__Output,
  signal: AbortSignal,
): Promise<CheckHealthResponse> {
  const target = parseTarget(request.target);
  const check = parseHealthCheck(request.healthCheck);
  if (!check) throw invalid('health_check', null, 'a health check');
  const place = await checkedPlace(services, await realPathOf(layoutOf(services.config, target).link));
  const attempt = await attemptCheck(check, place, signal);
  const found = attempt.ok ? '' : attempt.found;
  return { ok: attempt.ok, found, check: checkName(check), expected: expectedOf(check) };
}
