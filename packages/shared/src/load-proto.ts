import { fileURLToPath } from 'node:url';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import type { ProtoGrpcType } from './gen/agent.ts';

const ROOT = fileURLToPath(new URL('../../../proto', import.meta.url));

/** The service's definition, read from `proto/` once a process; int64 fields are numbers, absent fields have defaults. */
export function loadProto(): { definition: PackageDefinition; types: ProtoGrpcType } {
  const definition = loadSync('sampan/agent/v1/agent.proto', {
    includeDirs: [ROOT],
    longs: Number,
    defaults: true,
    arrays: true,
    oneofs: true,
  });
  return { definition, types: loadPackageDefinition(definition) as unknown as ProtoGrpcType };
}
