import type { IncomingMessage } from 'node:http';
import { AddressList, clientAddress, clientKey } from '@sampan/controller/http/client-address.ts';
import { describe, expect, it } from 'vitest';

const proxies = new AddressList(['10.0.0.1', '10.1.0.0/16', 'fd00::/8']);

function from(remoteAddress: string, forwarded?: string): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return clientAddress({ socket: { remoteAddress }, headers } as unknown as IncomingMessage, proxies);
}

describe('the client', () => {
  it.each([
    ['is the peer', '192.0.2.1', undefined, '192.0.2.1'],
    ['is the peer, whatever it forwards', '192.0.2.1', '10.0.0.9', '192.0.2.1'],
    ['is whom a trusted proxy names', '10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['is the right-most who is no proxy', '10.0.0.1', '127.0.0.1, 192.0.2.1, 10.1.2.3', '192.0.2.1'],
    ['is the proxy that forwards nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['is the first of a chain of nothing but proxies', '10.0.0.1', '10.1.2.4, 10.1.2.3', '10.1.2.4'],
    ['is nobody where a proxy names no address', '10.0.0.1', '127.0.0.1, unknown', 'unknown'],
    ['is read over an IPv6 socket', '::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['is read with a port', '10.0.0.1', '192.0.2.1:1234', '192.0.2.1'],
    ['is read with brackets', 'fd00::1', '[2001:db8::1]:1234', '2001:db8::1'],
    ['is read past empty parts', '10.0.0.1', '192.0.2.1, , ', '192.0.2.1'],
  ] as const)('%s', (...[, peer, forwarded, client]) => {
    expect(from(peer, forwarded)).toBe(client);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8:0001:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
  ])('%s shares its failures with all of %s', (address, key) => {
    expect(clientKey(address)).toBe(key);
  });
});

describe('a list of addresses', () => {
  it('knows single addresses and ranges of both families', () => {
    const list = new AddressList(['127.0.0.1', '10.0.0.0/8', 'fd00::/8', '::1']);
    const asked = ['127.0.0.1', '127.0.0.2', '10.255.0.1', '11.0.0.1', '::1', 'fd12::1', '::2', 'unknown', ''];
    expect(asked.filter((address) => list.includes(address))).toEqual(['127.0.0.1', '10.255.0.1', '::1', 'fd12::1']);
    expect([list.isEmpty, new AddressList([]).isEmpty]).toEqual([false, true]);
  });
});
