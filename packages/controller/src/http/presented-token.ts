import type { IncomingHttpHeaders } from 'node:http';
import { DeployError } from '@sampan/shared/errors.ts';

/**
 * The token that a request brings: as `Authorization: Bearer`, or as `APP_TOKEN`, which clients of the old service send.
 * Nowhere else: what stands in an address ends in logs.
 * @throws DeployError INVALID_REQUEST for two that differ.
 */
export function presentedToken(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^bearer +(.*)$/i.exec(headers.authorization ?? '')?.[1]?.trim();
  const appToken = headers.app_token === undefined ? undefined : String(headers.app_token).trim();
  if (bearer !== undefined && appToken !== undefined && bearer !== appToken) {
    const field = '请求头 Authorization 和 APP_TOKEN';
    throw new DeployError('INVALID_REQUEST', {
      field,
      found: '两个不同的 token',
      expected: '同一个 token, 或只传一个',
    });
  }
  return bearer ?? appToken;
}
