import { DeployError } from '@sampan/shared/errors.ts';
import type { z } from 'zod';
import { describeValue } from './describe-value.ts';

/**
 * Checks a request against its schema. Each check of a schema carries, as its `error`, what was expected, in Chinese.
 * @returns the parsed value, or an INVALID_REQUEST of the first field that is at fault.
 */
export function validateRequest<S extends z.ZodType>(schema: S, value: unknown, language: 'zh' | 'en' = 'zh') {
  const parsed = schema.safeParse(value, { reportInput: true });
  return parsed.success ? { value: parsed.data } : { error: faultOf(parsed.error, language) };
}

function faultOf(error: z.ZodError, language: 'zh' | 'en'): DeployError<'INVALID_REQUEST'> {
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const field = fieldName([...issue.path, issue.keys[0] ?? '']);
    return new DeployError('INVALID_REQUEST', { field, found: 'unknown', expected: 'no such field' });
  }
  return new DeployError('INVALID_REQUEST', {
    field: fieldName(issue?.path ?? []),
    found: foundIn(issue, language),
    expected: issue?.message ?? '',
  });
}

/** `server_list[2]` */
function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key, at) => (typeof key === 'number' ? `[${key}]` : `${at === 0 ? '' : '.'}${String(key)}`))
    .join('');
}

/** A check may say itself what it found, where the value would say too much or too little. */
function foundIn(issue: z.core.$ZodIssue | undefined, language: 'zh' | 'en'): string {
  const found = issue?.code === 'custom' ? issue.params?.found : undefined;
  return typeof found === 'string' ? found : describeValue(issue?.input, language);
}
