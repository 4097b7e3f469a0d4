import { DeployError } from '@sampan/shared/errors.ts';
import type { Fence__Output } from '@sampan/shared/gen/sampan/agent/v1/Fence.ts';
import type { Target__Output } from '@sampan/shared/gen/sampan/agent/v1/Target.ts';
import { type ProjectLanguage, parseLanguage } from '@sampan/shared/languages.ts';
import { artifactKind, isName } from '@sampan/shared/names.ts';
import type { Fence } from '../operations/journal-record.ts';
import type { Target } from '../releases/layout.ts';

const OPERATION_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** A request field that cannot be used. */
export function invalid(field: string, found: unknown, expected: string): DeployError {
  return new DeployError('INVALID_REQUEST', { field, found: JSON.stringify(found), expected });
}

export function parseTarget(target: Target__Output | null): Target {
  if (!target) throw invalid('target', null, 'a target');
  return {
    projectName: parseName('project_name', target.projectName),
    linkName: parseName('link_name', target.linkName),
    language: parseProjectLanguage(target.language),
    deployDir: target.deployDir,
  };
}

export function parseName(field: string, text: string): string {
  if (!isName(text)) throw invalid(field, text, 'a name: letters, digits, . _ - (at most 128, no "..")');
  return text;
}

export function parseProjectLanguage(text: string): ProjectLanguage {
  const language = parseLanguage(text);
  if (!language) throw invalid('language', text, 'php, java or golang');
  return language;
}

export function parseOperationId(text: string): string {
  if (!OPERATION_ID.test(text)) throw invalid('operation_id', text, 'at most 128 of A-Z a-z 0-9 . _ -');
  return text;
}

export function parseFilename(field: string, text: string): string {
  if (!isName(text) || artifactKind(text) === undefined)
    throw invalid(field, text, 'a .tar.gz, .tgz, .tar, .jar or .war');
  return text;
}

/** Undefined: from a controller that knows no fences. */
export function parseFence(fence: Fence__Output | null): Fence | undefined {
  if (!fence) return undefined;
  if (!/^[0-9a-f-]{36}$/.test(fence.database)) throw invalid('fence.database', fence.database, 'a UUID');
  return { database: fence.database, number: fence.number };
}

/** Lower-case hex, or undefined where the caller sent none. */
export function parseSha256(text: string): string | undefined {
  if (text === '') return undefined;
  if (!SHA256.test(text)) throw invalid('sha256', text, '64 lower-case hex digits');
  return text;
}
