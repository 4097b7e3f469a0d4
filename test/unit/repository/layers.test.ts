import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * The layers of each package from top to bottom, by folder or by file of the package's src. A file imports from its own
 * folder and from layers below; folders of one layer do not know each other. A new folder is given its place here.
 */
const layers: Record<string, string[][]> = {
  agent: [
    ['main.ts'],
    ['agent.ts', 'join'],
    ['server'],
    ['deploy'],
    ['operations'],
    ['artifact', 'logs', 'supervisor', 'upgrade', 'health'],
    ['unpack'],
    ['releases', 'identity'],
    ['host'],
    ['metrics.ts'],
    ['config.ts'],
  ],
  controller: [
    ['main.ts'],
    ['controller.ts', 'cli'],
    ['http'],
    ['hosts'],
    ['ask-hosts.ts'],
    ['rollout', 'upgrade'],
    ['fleet.ts', 'identity'],
    ['agents', 'auth'],
    ['store', 'grpc'],
    ['metrics.ts', 'outcomes.ts', 'slots.ts'],
    ['abortable.ts'],
    ['config.ts'],
  ],
};

/** Imports that go another way all the same: `from -> to`, with the reason. */
const exceptions: Record<string, string> = {};

describe.each(Object.entries(layers))('in the %s', (name, table) => {
  const source = join(root, 'packages', name, 'src');
  const files = globSync('**/*.ts', { cwd: source });

  it('every folder has its place among the layers', () => {
    expect([...new Set(files.map(folderOf))].sort()).toEqual(table.flat().sort());
  });

  it('imports run downwards only', () => {
    const level = (folder: string) => table.findIndex((layer) => layer.includes(folder));
    const imports = files.flatMap((from) => importsOf(source, from).map((to) => ({ from, to })));
    expect(imports.length).toBeGreaterThan(20);
    const others = imports
      .filter(({ from, to }) => folderOf(from) !== folderOf(to) && level(folderOf(from)) >= level(folderOf(to)))
      .map(({ from, to }) => `${name}/${from} -> ${name}/${to}`);
    expect(others.filter((found) => !(found in exceptions))).toEqual([]);
  });
});

/** The linter holds this too (biome.json); here for imports that it does not see as such. */
it('agent and controller do not know each other, and shared knows neither', () => {
  const allowed: Record<string, string[]> = { agent: ['shared'], controller: ['shared'], shared: [] };
  const strangers = globSync('packages/*/src/**/*.ts', { cwd: root }).flatMap((file) => {
    const own = file.split('/')[1] ?? '';
    const named = [
      ...readFileSync(join(root, file), 'utf8').matchAll(/(?:@sampan|packages)\/(agent|controller|shared)\//g),
    ];
    return named.map(([, other = '']) => other).filter((other) => other !== own && !allowed[own]?.includes(other));
  });
  expect(strangers).toEqual([]);
});

function folderOf(file: string): string {
  return file.split('/')[0] ?? '';
}

/** What a file of the package imports from the same package, static and dynamic, types too. */
function importsOf(source: string, file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].map(([, specifier = '']) => specifier);
  return specifiers.map((specifier) => normalize(join(dirname(file), specifier)));
}
