import { fileURLToPath } from 'node:url';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import type { ProtoGrpcType } from './gen/agent.ts';

/** Beside the bundle that is shipped; else where the repository has it. The first that has the file is taken. */
const ROOTS = ['./proto', '../../../proto'].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** The service's definition, read once a process; int64 fields are numbers, absent fields have defaults. */
export function loadProto(): { definition: PackageDefinition; types: ProtoGrpcType } {
  const definition = loadSync('sampan/agent/v1/agent.proto', {
    includeDirs: ROOTS,
    longs: Number,
    defaults: true,
    arrays: true,
    oneofs: true,
  });
  return { definition, types: loadPackageDefinition(definition) as unknown as ProtoGrpcType };
}
