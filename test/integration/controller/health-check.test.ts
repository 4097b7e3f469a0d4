import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeAgent } from '../../helpers/fake-agent.ts';
import { type StartedController, startController } from '../../helpers/start-controller.ts';
import { V1Client } from '../../helpers/v1-client.ts';

const HTTP = 'http://127.0.0.1:8080/healthz';
const TCP = '127.0.0.1:8080';
/** Of 300 characters. */
const LONGEST = `${'h'.repeat(295)}:8080`;
const DAY_S = 86_400;
const DAY_MS = DAY_S * 1000;

let controller: StartedController;
let api: V1Client;

beforeAll(async () => {
  controller = await startController();
  api = new V1Client(controller.url);
});
afterAll(() => controller?.stop());

const begin = (health_check: unknown, host = '127.0.0.1:1') =>
  api.post('/rollouts', {
    operation: 'deploy',
    hosts: [host],
    project_name: 'shop',
    link_name: 'web',
    language: 'php',
    file_url: 'http://127.0.0.1:1/web-1.tar.gz',
    filename: 'web-1.tar.gz',
    health_check,
  });

/** `count` characters, beginning with those of `text`. */
const long = (text: string, count: number) => text.padEnd(count, 'x');
const words = (count: number) => Array.from({ length: count }, () => 'true');

describe('a health check in /v1 is passed on to the agent', () => {
  const defaults = { intervalMs: 0, timeoutMs: 0, deadlineMs: 0, successes: 0 };

  it.each<[string, object, object]>([
    ['with no more than a URL', { http: HTTP }, { http: { url: HTTP, status: 0 }, ...defaults }],
    ['with a URL alone in its own object', { http: { url: HTTP } }, { http: { url: HTTP, status: 0 }, ...defaults }],
    ['with status 100', { http: { url: HTTP, status: 100 } }, { http: { url: HTTP, status: 100 } }],
    ['with status 599', { http: { url: HTTP, status: 599 } }, { http: { url: HTTP, status: 599 } }],
    ['with a URL of 2000 characters', { http: long(HTTP, 2000) }, { http: { url: long(HTTP, 2000) } }],
    ['with a port', { tcp: TCP }, { tcp: { address: TCP }, ...defaults }],
    ['with an address of 300 characters', { tcp: LONGEST }, { tcp: { address: LONGEST } }],
    ['with a command', { command: ['test', '-e', 'x'] }, { command: { argv: ['test', '-e', 'x'] }, ...defaults }],
    ['with a command of 100 words', { command: words(100) }, { command: { argv: words(100) } }],
    ['with a word of 4000 characters', { command: [long('x', 4000)] }, { command: { argv: [long('x', 4000)] } }],
    [
      'with times in seconds, which it is told in milliseconds',
      { tcp: TCP, interval_seconds: 0.001, timeout_seconds: 1.5, deadline_seconds: DAY_S },
      { intervalMs: 1, timeoutMs: 1500, deadlineMs: DAY_MS },
    ],
    [
      'with a day for an interval and for one attempt',
      { tcp: TCP, interval_seconds: DAY_S, timeout_seconds: DAY_S },
      { intervalMs: DAY_MS, timeoutMs: DAY_MS },
    ],
    ['with less than a millisecond, which is not none', { tcp: TCP, interval_seconds: 0.0004 }, { intervalMs: 1 }],
    ['with one success', { tcp: TCP, successes: 1 }, { successes: 1 }],
    ['with 100 successes', { tcp: TCP, successes: 100 }, { successes: 100 }],
  ])('%s', async (_, sent, told) => {
    const agent = await startFakeAgent();
    const { status, body } = await begin(sent, agent.host);
    expect(status).toBe(202);
    expect((await agent.called('Activate')).healthCheck).toMatchObject(told);
    await api.watch((body as { id: string }).id).closed;
  });
});

describe('a health check in /v1 is refused, by the name of its field,', () => {
  it.each<[string, unknown, string]>([
    ['that names nothing to look at', {}, ''],
    ['that names two things to look at', { http: HTTP, tcp: TCP }, ''],
    ['that is a text', HTTP, ''],
    ['with an unknown field', { tcp: TCP, colour: 'red' }, '.colour'],
    ['with an unknown field beside the URL', { http: { url: HTTP, method: 'POST' } }, '.http.method'],
    ['with a URL of another scheme', { http: 'ftp://127.0.0.1/x' }, '.http'],
    ['with an address without a port', { tcp: '127.0.0.1' }, '.tcp'],
    ['with a NUL in a word', { command: ['true', 'a\0b'] }, '.command[1]'],
    ['with status 99', { http: { url: HTTP, status: 99 } }, '.http.status'],
    ['with status 600', { http: { url: HTTP, status: 600 } }, '.http.status'],
    ['with a URL of 2001 characters', { http: long(HTTP, 2001) }, '.http'],
    ['with a URL of 2001 characters in its own object', { http: { url: long(HTTP, 2001) } }, '.http.url'],
    ['with an address of 301 characters', { tcp: long(TCP, 301) }, '.tcp'],
    ['with no words', { command: [] }, '.command'],
    ['with 101 words', { command: words(101) }, ''],
    ['with an empty word', { command: ['true', ''] }, '.command[1]'],
    ['with a word of 4001 characters', { command: [long('x', 4001)] }, '.command[0]'],
    ['with a command in one text', { command: 'true' }, ''],
    ['with no time between attempts', { tcp: TCP, interval_seconds: 0 }, '.interval_seconds'],
    ['with no time for an attempt', { tcp: TCP, timeout_seconds: 0 }, '.timeout_seconds'],
    ['with no time for all attempts', { tcp: TCP, deadline_seconds: 0 }, '.deadline_seconds'],
    ['with more than a day between attempts', { tcp: TCP, interval_seconds: DAY_S + 1 }, '.interval_seconds'],
    ['with more than a day for an attempt', { tcp: TCP, timeout_seconds: DAY_S + 1 }, '.timeout_seconds'],
    ['with more than a day for all attempts', { tcp: TCP, deadline_seconds: DAY_S + 1 }, '.deadline_seconds'],
    ['with a time that is a text', { tcp: TCP, deadline_seconds: '30s' }, ''],
    ['with no successes', { tcp: TCP, successes: 0 }, '.successes'],
    ['with 101 successes', { tcp: TCP, successes: 101 }, '.successes'],
    ['with half a success', { tcp: TCP, successes: 1.5 }, ''],
  ])('%s', async (_, sent, field) => {
    const { status, body } = await begin(sent);
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', params: { field: `health_check${field}` } },
    });
  });
});
