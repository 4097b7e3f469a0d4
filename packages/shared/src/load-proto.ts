import { loadPackageDefinition } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { loadDefinition } from './agent-definition.ts';
import type { ProtoGrpcType } from './gen/agent.ts';

/** The service's definition, and what gRPC makes of it. */
export function loadProto(): { definition: PackageDefinition; types: ProtoGrpcType } {
  const definition = loadDefinition();
  return { definition, types: loadPackageDefinition(definition) as unknown as ProtoGrpcType };
}
