import { networkInterfaces } from 'node:os';
import type { CheckHealthResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/CheckHealthResponse.ts';
import type { HealthCheck } from '@sampan/shared/gen/sampan/agent/v1/HealthCheck.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeployingHost, targetOf } from '../../../helpers/deploying-host.ts';

const DAY_MS = 86_400_000;
/** A port on which nobody listens: what is asked there is answered at once. */
const CLOSED = 'http://127.0.0.1:1/';

let host: DeployingHost;

beforeAll(async () => {
  host = await DeployingHost.start();
  await host.deploy('web', 'current');
});

afterAll(() => host?.[Symbol.asyncDispose]());

const lookOnce = (healthCheck: HealthCheck) =>
  host.client.call<unknown, CheckHealthResponse__Output>('CheckHealth', { target: targetOf('web'), healthCheck });

const http = (status = 0): HealthCheck => ({ http: { url: CLOSED, status } });
const tcp = (address: string): HealthCheck => ({ tcp: { address } });
const words = (count: number): HealthCheck => ({ command: { argv: Array.from({ length: count }, () => 'true') } });

it('looks once at what is current, and tells what was asked, found and expected', async () => {
  expect(await lookOnce(words(1))).toEqual({ ok: true, found: '', check: 'command true', expected: 'exit 0' });
  expect(await lookOnce(http(204))).toEqual({
    ok: false,
    found: 'ECONNREFUSED',
    check: `http ${CLOSED}`,
    expected: 'status 204',
  });
  expect(await lookOnce(tcp('localhost:1'))).toEqual({
    ok: false,
    found: 'ECONNREFUSED',
    check: 'tcp localhost:1',
    expected: 'a connection',
  });
});

it.each<[string, HealthCheck]>([
  ['an interval of a day', { ...http(), intervalMs: DAY_MS }],
  ['a time for one attempt of a day', { ...http(), timeoutMs: DAY_MS }],
  ['a deadline of a day', { ...http(), deadlineMs: DAY_MS }],
  ['a millisecond of each', { ...http(), intervalMs: 1, timeoutMs: 1, deadlineMs: 1 }],
  ['100 successes in a row', { ...http(), successes: 100 }],
  ['status 100', http(100)],
  ['status 599', http(599)],
  ['https', { http: { url: 'https://127.0.0.1:1/' } }],
  ['an address of loopback in brackets', { http: { url: 'http://[::1]:1/' } }],
  ['another address of loopback', tcp('127.255.255.254:1')],
  ['the last port', tcp('localhost:65535')],
  ['100 words', words(100)],
  ['an empty word that is not the first', { command: { argv: ['true', ''] } }],
])('takes %s', async (_, healthCheck) => {
  await expect(lookOnce(healthCheck)).resolves.toHaveProperty('ok');
});

it('takes every address that this host has', async () => {
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  expect(own.length).toBeGreaterThan(0);
  for (const { address, family } of own) {
    const inUrl = family === 'IPv6' ? `[${address}]` : address;
    await expect(lookOnce(tcp(`${inUrl}:1`))).resolves.toMatchObject({ ok: false });
  }
});

it.each<[string, HealthCheck, { field: string; found: string }]>([
  [
    'an interval of more than a day',
    { ...http(), intervalMs: DAY_MS + 1 },
    { field: 'health_check.intervalMs', found: '86400001' },
  ],
  [
    'a time for one attempt of more than a day',
    { ...http(), timeoutMs: DAY_MS + 1 },
    { field: 'health_check.timeoutMs', found: '86400001' },
  ],
  [
    'a deadline of more than a day',
    { ...http(), deadlineMs: DAY_MS + 1 },
    { field: 'health_check.deadlineMs', found: '86400001' },
  ],
  ['101 successes in a row', { ...http(), successes: 101 }, { field: 'health_check.successes', found: '101' }],
  ['status 99', http(99), { field: 'health_check.http.status', found: '99' }],
  ['status 600', http(600), { field: 'health_check.http.status', found: '600' }],
  [
    'another scheme',
    { http: { url: 'ftp://127.0.0.1/' } },
    { field: 'health_check.http.url', found: '"ftp://127.0.0.1/"' },
  ],
  ['what is no URL', { http: { url: '/healthz' } }, { field: 'health_check.http.url', found: '"/healthz"' }],
  ['the address of all addresses', tcp('0.0.0.0:80'), { field: 'health_check.tcp.address', found: '"0.0.0.0"' }],
  ['port 0', tcp('localhost:0'), { field: 'health_check.tcp.address', found: '"localhost:0"' }],
  ['port 65536', tcp('localhost:65536'), { field: 'health_check.tcp.address', found: '"localhost:65536"' }],
  ['no port', tcp('localhost'), { field: 'health_check.tcp.address', found: '"localhost"' }],
  [
    '101 words',
    words(101),
    { field: 'health_check', found: JSON.stringify(Array.from({ length: 101 }, () => 'true')) },
  ],
  ['no words', words(0), { field: 'health_check', found: '[]' }],
  ['an empty program', { command: { argv: ['', 'x'] } }, { field: 'health_check', found: '["","x"]' }],
  [
    'a word that no program can get',
    { command: { argv: ['a\0b'] } },
    { field: 'health_check', found: '["a\\u0000b"]' },
  ],
  ['nothing to look at', {}, { field: 'health_check', found: '[]' }],
])('refuses %s', async (_, healthCheck, params) => {
  await expect(lookOnce(healthCheck)).rejects.toMatchObject({ code: 'INVALID_REQUEST', params });
});
