import { dirname } from 'node:path';
import type { AgentConfig } from '../config.ts';
import type { BaseLinks } from '../operations/base-links.ts';
import { textsBefore } from '../operations/last-flips.ts';
import type { Operations } from '../operations/operations.ts';
import { pinnedReleases } from '../operations/pinned-releases.ts';
import { type Layout, linkOf, releaseOfLinkText, targetKey } from '../releases/layout.ts';
import type { KeepReason } from '../releases/plan-prune.ts';
import type { HostServices } from './host-services.ts';

/**
 * The releases of a base that operations need, and why: what those need that run now, what those have staged that may yet activate,
 * and what each link was flipped away from last. `texts`: what the links name, by their paths.
 */
export function neededReleases(
  { layout, texts }: { layout: Layout; texts: ReadonlyMap<string, string> },
  { config, holds }: HostServices,
  operations: Operations,
): Map<string, KeepReason> {
  const links: BaseLinks = { linkOf: rememberingLinkOf(config, layout.baseDir), texts };
  const known = operations.all();
  const left = [...textsBefore(known.values(), links)].map((text) => releaseOfLinkText(layout, text));
  const held = pinnedReleases(known.values(), links, Date.now()).union(holds.neededIn(layout.baseDir));
  return new Map<string, KeepReason>([
    ...left.filter((name) => name !== undefined).map((name) => [name, 'just_left'] as const),
    ...[...held].map((name) => [name, 'held'] as const),
  ]);
}

/** It is asked of a thousand operations, which have a few targets between them. */
function rememberingLinkOf(config: AgentConfig, baseDir: string): BaseLinks['linkOf'] {
  const known = new Map<string, string | undefined>();
  return (target) => {
    const key = targetKey(target);
    if (!known.has(key)) {
      const link = linkOf(config, target);
      known.set(key, link !== undefined && dirname(link) === baseDir ? link : undefined);
    }
    return known.get(key);
  };
}
