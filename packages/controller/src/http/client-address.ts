import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** Addresses and ranges such as `10.0.0.0/8` of both families. */
export class AddressList {
  readonly isEmpty: boolean;
  readonly #list = new BlockList();

  constructor(ranges: readonly string[]) {
    this.isEmpty = ranges.length === 0;
    for (const range of ranges) {
      const [address = '', bits] = range.split('/');
      const family = isIPv4(address) ? 'ipv4' : 'ipv6';
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  /** False for what is no address. */
  includes(address: string): boolean {
    return isIP(address) !== 0 && this.#list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  }
}

/** What a client is called that a trusted proxy gives no address for. It is on no list. */
const UNKNOWN = 'unknown';

/**
 * Who calls: the peer of the connection; or, if that is one of `trustedProxies`, whom it names in X-Forwarded-For, read from
 * the right until somebody stands there who is none of them. What is further left, anybody can have written.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: AddressList): string {
  let address = plain(request.socket.remoteAddress ?? UNKNOWN);
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '');
  while (trustedProxies.includes(address)) {
    const hop = forwarded.pop();
    if (hop === undefined) return address;
    address = plain(hop);
    if (isIP(address) === 0) return UNKNOWN;
  }
  return address;
}

/** Those who share one: an IPv6 client has a whole /64 to itself. */
export function clientKey(address: string): string {
  if (!isIPv6(address)) return address;
  return expand(address).slice(0, 4).join(':');
}

/** Without a port, brackets or zone, as some proxies write them, and IPv4 as it is. */
function plain(address: string): string {
  const bare = /^\[([^\]]*)\](?::\d+)?$|^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address);
  const text = bare?.[1] ?? bare?.[2] ?? address;
  return text.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/** The eight groups of an IPv6 address. */
function expand(address: string): string[] {
  const [left = '', right] = address.toLowerCase().split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [head, tail] = [groups(left), groups(right ?? '')];
  const missing = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  return [...head, ...Array<string>(missing).fill('0'), ...tail].map((group) => group.replace(/^0+(?=.)/, ''));
}
