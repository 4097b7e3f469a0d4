import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { agentConfigSchema } from '@sampan/agent/config.ts';
import { controllerConfigSchema } from '@sampan/controller/config.ts';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const schemas = { agent: agentConfigSchema, controller: controllerConfigSchema };

/** What the examples leave out, because it stands right above for another language. */
const saidForPhp = /^languages\.(java|golang)\.(owner|reload|hooks|allow_links_to)/;

describe.each(Object.entries(schemas))('examples/%s.yaml', (name, schema) => {
  const example: unknown = parse(
    readFileSync(fileURLToPath(new URL(`../../../examples/${name}.yaml`, import.meta.url)), 'utf8'),
  );

  it('says what is so without it', () => {
    expect(schema.parse(example)).toEqual(schema.parse({}));
  });

  it('names every key', () => {
    const missing = keysOf(schema.parse({})).filter((key) => !keysOf(example).includes(key) && !saidForPhp.test(key));
    expect(missing).toEqual([]);
  });
});

/** `rollouts.timeout`: the paths of a configuration, down to what is written as one value there. */
function keysOf(value: unknown, path = ''): string[] {
  const isWrittenAsText = path === 'listen' || path === 'health_listen' || path === 'database';
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isWrittenAsText) return [path];
  return Object.entries(value).flatMap(([key, inner]) => keysOf(inner, path === '' ? key : `${path}.${key}`));
}
