import { hostname } from 'node:os';
import type { ControllerConfig } from '../config.ts';

/** Where other machines most likely reach this controller: its first public name, or the address on which it listens. */
export function ownUrl({ listen, public_hosts, tls }: ControllerConfig): string {
  const anywhere = listen.host === '0.0.0.0' || listen.host === '::';
  const host = public_hosts[0] ?? (anywhere ? hostname() : listen.host);
  return `${tls === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
}
