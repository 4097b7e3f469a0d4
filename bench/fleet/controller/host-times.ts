// Loaded into the controller before itself (node --import): notes when its connections to agents begin and its calls end, as
// Node tells of them, and hands that out on request. Nothing of the controller is changed by it.
import { subscribe } from 'node:diagnostics_channel';
import type { ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

/** One agent, as the controller met it since it was last asked. Milliseconds on the controller's own clock. */
export interface HostTimes {
  /** Its address. */
  host: string;
  /** When the last connection to it was begun; null: an open one was used. */
  dialledAtMs: number | null;
  calls: CallTimes[];
}

export interface CallTimes {
  /** Such as `GetCurrentVersion`. */
  method: string;
  startedAtMs: number;
  endedAtMs: number;
}

const hosts = new Map<string, HostTimes>();
const started = new WeakMap<ClientHttp2Stream, { method: string; startedAtMs: number }>();

subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket };
  const dialledAtMs = performance.now();
  socket.once('connect', () => {
    const times = timesOf(socket.remoteAddress ?? '');
    times.dialledAtMs = dialledAtMs;
  });
});

subscribe('http2.client.stream.start', (message) => {
  const { stream, headers } = message as { stream: ClientHttp2Stream; headers: Record<string, string> };
  const method = headers[':path']?.split('/').at(-1) ?? '';
  started.set(stream, { method, startedAtMs: performance.now() });
});

subscribe('http2.client.stream.close', (message) => {
  const { stream } = message as { stream: ClientHttp2Stream };
  const call = started.get(stream);
  const host = stream.session?.socket.remoteAddress;
  if (call && host !== undefined) timesOf(host).calls.push({ ...call, endedAtMs: performance.now() });
});

process.on('message', (message) => {
  if (message !== 'times') return;
  process.send?.([...hosts.values()]);
  hosts.clear();
});
process.channel?.unref();

function timesOf(host: string): HostTimes {
  const found = hosts.get(host) ?? { host, dialledAtMs: null, calls: [] };
  hosts.set(host, found);
  return found;
}
