/**
 * Whether the agent may read from a URL: http or https, and one of the `download.allow` patterns. A pattern is held
 * against scheme, host, port unless it is the scheme's own, and path: `*` stands for any characters but `/`, `**` for
 * any at all; without a path it allows every path. User, password, query and fragment are not looked at.
 */
export function isUrlAllowed(url: URL, patterns: readonly string[]): boolean {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return false;
  const place = `${url.protocol}//${url.host}${url.pathname}`;
  return patterns.some((pattern) => toRegExp(pattern).test(place));
}

/** Where a URL leads, for messages: scheme, host and port. */
export function originOf(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

function toRegExp(pattern: string): RegExp {
  const whole = /^[a-z*]+:\/\/[^/]*$/i.test(pattern) ? `${pattern}/**` : pattern;
  const source = whole
    .split(/(\*+)/)
    .map((part) => (part.startsWith('**') ? '.*' : part === '*' ? '[^/]*' : RegExp.escape(part)));
  return new RegExp(`^${source.join('')}$`, 'i');
}
