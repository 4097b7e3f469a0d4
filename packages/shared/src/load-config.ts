import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { z } from 'zod';

/** A configuration that cannot be used. `message` lists every fault, a line each, with its path. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/**
 * Reads a YAML file against `schema`. Without a file, the schema's defaults alone.
 * @throws ConfigError that names the file and all faults together, by path (`download.max_bytes: expected a size …`).
 */
export function loadConfig<S extends z.ZodType>(schema: S, file: string | undefined): z.output<S> {
  return checkConfig(schema, file === undefined ? {} : readYaml(file), file ?? 'defaults');
}

/** Checks a configuration that is already a value. `source` names it in the error. */
export function checkConfig<S extends z.ZodType>(schema: S, value: unknown, source: string): z.output<S> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw new ConfigError([`${source} cannot be used:`, ...parsed.error.issues.flatMap(describe)].join('\n  '));
}

function readYaml(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      [`${file} is not valid YAML:`, ...document.errors.map((error) => error.message)].join('\n  '),
    );
  }
  return document.toJS();
}

function describe(issue: z.core.$ZodIssue): string[] {
  const at = (key?: string) => [...issue.path.map(String), ...(key === undefined ? [] : [key])].join('.') || '(top)';
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${at(key)}: unknown key`);
  return [`${at()}: ${issue.message}`];
}
