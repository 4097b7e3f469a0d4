import { parseAgentAddress } from '@sampan/controller/agents/agent-address.ts';
import { describe, expect, it } from 'vitest';

describe('parseAgentAddress', () => {
  it.each([
    ['10.0.0.3', { host: '10.0.0.3', port: 7410, key: '10.0.0.3:7410' }],
    ['10.0.0.3:7411', { host: '10.0.0.3', port: 7411, key: '10.0.0.3:7411' }],
    ['Web-1.example.COM', { host: 'web-1.example.com', port: 7410, key: 'web-1.example.com:7410' }],
    ['web_1:1', { host: 'web_1', port: 1, key: 'web_1:1' }],
    ['::1', { host: '::1', port: 7410, key: '[::1]:7410' }],
    ['[::1]', { host: '::1', port: 7410, key: '[::1]:7410' }],
    ['[FE80::1]:65535', { host: 'fe80::1', port: 65_535, key: '[fe80::1]:65535' }],
    ['::ffff:10.0.0.3', { host: '::ffff:10.0.0.3', port: 7410, key: '[::ffff:10.0.0.3]:7410' }],
  ])('reads %s', (text, address) => {
    expect(parseAgentAddress(text, 7410)).toEqual(address);
  });

  it.each([
    '',
    ' ',
    'a b',
    '10.0.0',
    '10.0.0.256',
    '10.1',
    '1',
    'web:0',
    'web:65536',
    'web:',
    'web:x',
    ':7410',
    '[::1',
    '[10.0.0.3]:1',
    '[web]:1',
    '::1:7410:x',
    'fe80::1%eth0',
    '[fe80::1%eth0]:1',
    'http://web',
    'web/x',
    'user@web',
    '-rf',
    'web-',
    'a..b',
    '.',
    'web.',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}aa`,
    '主机',
    'web\u202egpj',
    'web\0',
    '../x',
  ])('refuses %j', (text) => {
    expect(parseAgentAddress(text, 7410)).toBeUndefined();
  });
});
