import { DeployError } from '@sampan/shared/errors.ts';
import { describeValue, escapeHidden } from './describe-value.ts';

/** What a request body is called in messages. */
export const BODY = '请求体';
const MAX_DEPTH = 64;
const EXPECTED = 'JSON 对象';

/**
 * A request body: a JSON object, or undefined where there was none.
 * @throws DeployError INVALID_REQUEST that says what else was found; it shows nothing of the content, which may hold secrets.
 */
export function parseJsonBody(bytes: Buffer): Record<string, unknown> | undefined {
  if (bytes.length === 0) return undefined;
  const text = decode(bytes);
  if (isTooDeep(text)) throw refused(`超过 ${MAX_DEPTH} 层的嵌套`);
  const value = parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw refused(describeValue(value));
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refused('不是 UTF-8 的内容', cause);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refused(`不是 JSON 的内容 (${whatIsWrong(cause)})`, cause);
  }
}

/** V8 says what is wrong and then may quote the text around it, which is left out. */
function whatIsWrong(error: unknown): string {
  return error instanceof Error ? escapeHidden(error.message.replace(/, (\.\.\.)?".*$/s, '')) : '';
}

/** JSON.parse itself takes any depth; what walks the value afterwards would not. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

function refused(found: string, cause?: unknown): DeployError {
  return new DeployError('INVALID_REQUEST', { field: BODY, found, expected: EXPECTED }, { cause });
}
