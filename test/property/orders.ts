import type { HostUnderTest, OriginFault } from './host-under-test.ts';
import type { Told } from './mortal-agent.ts';
import { type Shipment, shipmentPackage, targetOf, versionName } from './projects.ts';

/** What may go wrong with an order, beside a crash. */
export type Fault = OriginFault | 'wrong sha256' | 'hook';

/** What somebody wants of one project. */
export type Order =
  | { kind: 'deploy'; shipment: Shipment; withSha256: boolean; deletes: number | undefined; fault: Fault | undefined }
  | { kind: 'stage'; shipment: Shipment }
  | { kind: 'rollback'; project: number; version: number; fault: 'hook' | undefined };

/** An order under the id by which it is asked for again. */
export interface Asked {
  order: Order;
  operationId: string;
  fileUrl: string;
}

export function projectOf(order: Order): number {
  return order.kind === 'rollback' ? order.project : order.shipment.project;
}

/** Gives an order an id. */
export function ask(host: HostUnderTest, order: Order): Asked {
  const fileUrl = order.kind === 'rollback' ? '' : host.urlOf(order.shipment);
  return { order, operationId: host.newId(), fileUrl };
}

/** Makes it so that the order meets its fault, or none. */
export function prepare(host: HostUnderTest, order: Order): void {
  const fault = order.kind === 'stage' ? undefined : order.fault;
  host.setHook(projectOf(order), { fails: fault === 'hook' });
  if (order.kind !== 'rollback') host.serve(order.shipment, fault === 'missing' || fault === 'cut' ? fault : undefined);
}

/** Whatever made it fail is gone: the origin has the file, the hook succeeds. */
export function mend(host: HostUnderTest, { order }: Asked): void {
  host.setHook(projectOf(order), { fails: false });
  if (order.kind !== 'rollback') host.serve(order.shipment);
}

/** Sends it; again, it is the same operation. A stage that is asked for again is a deploy: its caller comes back after all. */
export async function send(
  host: HostUnderTest,
  { order, operationId, fileUrl }: Asked,
  isAgain = false,
): Promise<Told> {
  const target = targetOf(projectOf(order));
  if (order.kind === 'rollback') {
    return await host.agent.rollback({ operationId, target, version: versionName(order.version) });
  }
  const { filename, sha256 } = shipmentPackage(order.shipment);
  const withSha256 = order.kind === 'deploy' && order.withSha256;
  const fault = order.kind === 'deploy' ? order.fault : undefined;
  const deploy = {
    operationId,
    target,
    fileUrl,
    filename,
    sha256: fault === 'wrong sha256' ? '0'.repeat(64) : withSha256 ? sha256 : undefined,
    filenameDelete: order.kind === 'deploy' && order.deletes ? `${versionName(order.deletes)}.tar.gz` : '',
  };
  if (order.kind === 'stage' && !isAgain) return await host.agent.stage(deploy, 1);
  return await host.agent.deploy(deploy);
}

/** The codes of which one must be told of an order that meets its fault. */
export function codesOf(fault: Fault): string[] {
  const codes = {
    missing: ['DOWNLOAD_HTTP_STATUS'],
    // Whichever is noticed first, where the caller knows the sha256.
    cut: ['ARCHIVE_CORRUPT', 'CHECKSUM_MISMATCH'],
    'wrong sha256': ['CHECKSUM_MISMATCH'],
    hook: ['HOOK_FAILED'],
  };
  return codes[fault];
}
