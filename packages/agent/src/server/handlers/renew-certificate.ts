import type { RenewCertificateRequest__Output } from '@sampan/shared/gen/sampan/agent/v1/RenewCertificateRequest.ts';
import type { RenewCertificateResponse } from '@sampan/shared/gen/sampan/agent/v1/RenewCertificateResponse.ts';
import type { AgentCore } from '../agent-core.ts';
import { invalid } from '../parse-request.ts';

export async function renewCertificate(
  { identity, services }: AgentCore,
  { certificate, roots }: RenewCertificateRequest__Output,
): Promise<RenewCertificateResponse> {
  if (!identity) throw invalid('certificate', '', 'none: this agent has no identity_dir');
  await identity.renew({ certificate, roots });
  services.log.info({ expiresAt: identity.expiresAt }, 'certificate renewed');
  return {};
}
