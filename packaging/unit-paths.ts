/**
 * A drop-in that leaves `paths` writable where they lie below what the unit protects. No others: each becomes a mount of the
 * unit's own, over whose edge nothing can be renamed.
 */
export function unitPaths(paths: readonly string[], protectedRoots: readonly string[]): string {
  const concerned = paths.filter((path) =>
    protectedRoots.some((root) => root === '/' || `${path}/`.startsWith(`${root}/`)),
  );
  const lines = [...new Set(concerned)].sort().map((path) => `ReadWritePaths="-${path.replaceAll('%', '%%')}"\n`);
  return `# Made by install.sh from the configuration; it is made anew when install.sh runs again.\n[Service]\n${lines.join('')}`;
}
