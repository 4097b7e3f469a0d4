import { isUrlAllowed } from '@sampan/agent/artifact/url-allowed.ts';
import { expect, it } from 'vitest';

it.each([
  ['http://**', 'http://anything:8080/at/all?x=1', true],
  ['http://**', 'https://anything/', false],
  ['**', 'ftp://anything/', false],
  ['https://repo.example.com/**', 'https://repo.example.com/a/b.tar.gz', true],
  ['https://repo.example.com/**', 'https://user:pass@REPO.example.com:443/a', true],
  ['https://repo.example.com/**', 'https://repo.example.com:8443/a', false],
  ['https://repo.example.com/**', 'https://repo.example.com.evil.org/a', false],
  ['https://repo.example.com/**', 'https://evil.org/https://repo.example.com/a', false],
  ['https://repo.example.com/**', 'https://repo.example.com@evil.org/a', false],
  ['https://repo.example.com/**', 'https://repoxexample.com/a', false],
  ['https://repo.example.com', 'https://repo.example.com/any/path', true],
  ['https://*.example.com/**', 'https://a.example.com/x', true],
  ['https://*.example.com/**', 'https://a.b.example.com/x', true],
  ['https://*.example.com/**', 'https://evil.org/.example.com/x', false],
  ['http://10.0.0.1:8081/releases/*', 'http://10.0.0.1:8081/releases/a.tgz', true],
  ['http://10.0.0.1:8081/releases/*', 'http://10.0.0.1:8081/releases/b/a.tgz', false],
  ['http://10.0.0.1:8081/releases/**', 'http://10.0.0.1:8081/releases/../secret', false],
  ['http://10.0.0.1:8081/releases/**', 'http://10.0.0.1:8081/releases/%2e%2e/secret', false],
])('%s allows %s: %s', (pattern, url, allowed) => {
  expect(isUrlAllowed(new URL(url), [pattern])).toBe(allowed);
});

it('allows what any pattern allows, and nothing without patterns', () => {
  const url = new URL('http://b/x');
  expect(isUrlAllowed(url, ['http://a/**', 'http://b/**'])).toBe(true);
  expect(isUrlAllowed(url, [])).toBe(false);
});
