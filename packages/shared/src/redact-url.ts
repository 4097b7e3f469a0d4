/** A URL that may be shown and logged: no user, no password, no query, no fragment. What is not a URL: `[redacted]`. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return '[redacted]';
  const url = new URL(text);
  return `${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?[redacted]'}`;
}
