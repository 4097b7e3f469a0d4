import type { Target } from '@sampan/agent/releases/layout.ts';
import { type Package, packageOf } from '../faults/harness/package.ts';

/** Projects that share a base and the names of their versions, but nothing else. */
export const projects: readonly Target[] = ['shop', 'till', 'desk'].map((name) => ({
  projectName: name,
  linkName: name,
  language: 'php',
  deployDir: '',
}));

export const VERSIONS = 4;

/** What a project ships as a version. The same version is sometimes shipped again with another content. */
export interface Shipment {
  project: number;
  version: number;
  edition: 'a' | 'b';
}

/** As people know it. */
export function versionName(version: number): string {
  return `app-${version}`;
}

export function targetOf(project: number): Target {
  return projects[project] as Target;
}

const packed = new Map<string, Package>();

/** Its package: of that name, and of a content of its own, by whose name (`shop app-1 a`) it is known wherever it stands. */
export function shipmentPackage({ project, version, edition }: Shipment): Package {
  const content = contentOf({ project, version, edition });
  const known = packed.get(content) ?? {
    ...packageOf(content, { files: 3 }),
    filename: `${versionName(version)}.tar.gz`,
  };
  packed.set(content, known);
  return known;
}

export function contentOf({ project, version, edition }: Shipment): string {
  return `${targetOf(project).projectName} ${versionName(version)} ${edition}`;
}

/** Every package there is, by its content. */
export function allPackages(): Map<string, Package[]> {
  const shipments = projects.flatMap((_, project) =>
    Array.from({ length: VERSIONS }, (__, n) => n + 1).flatMap((version) =>
      (['a', 'b'] as const).map((edition) => ({ project, version, edition })),
    ),
  );
  return new Map(shipments.map((shipment) => [contentOf(shipment), [shipmentPackage(shipment)]]));
}
