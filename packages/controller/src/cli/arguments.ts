import { isName } from '@sampan/shared/names.ts';
import { period } from '@sampan/shared/units.ts';
import { InvalidArgumentError } from 'commander';
import { isScope, SCOPES, type Scope } from '../auth/scopes.ts';

const NAME_RULE = 'expected letters, digits and . _ - (at most 128), beginning with a letter or digit';

/** Parsers of what is typed; each throws InvalidArgumentError, which commander shows beside the option. */

export function parseName(text: string): string {
  if (isName(text)) return text;
  throw new InvalidArgumentError(NAME_RULE);
}

/** `a,b`, or the option several times. */
export function parseNames(text: string, previous: readonly string[] = []): string[] {
  return [...new Set([...previous, ...listed(text).map(parseName)])];
}

export function parseScopes(text: string, previous: readonly Scope[] = []): Scope[] {
  const scopes = listed(text).map((scope) => {
    if (isScope(scope)) return scope;
    throw new InvalidArgumentError(`expected some of ${SCOPES.join(', ')}`);
  });
  return [...new Set([...previous, ...scopes])];
}

/** `90d` or `12h`, in milliseconds. */
export function parsePeriod(text: string): number {
  const parsed = period.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? '');
}

/** A whole number from 1 on. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number from 1 on');
}

/** `a,b`, or the option several times; what each is, is checked by who uses it. */
export function parseList(text: string, previous: readonly string[]): string[] {
  return [...previous, ...listed(text)];
}

function listed(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}
