// Loaded into the controller before itself (node --import): notes when its connections to agents begin and its calls end, as
// Node tells of them, from one request on until the next, and hands that out. Nothing of the controller is changed by it; but to be
// watched takes a tenth of its time, so it is only where single hosts are looked at.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

/** One agent, as the controller met it while it was watched. Milliseconds on the controller's own clock. */
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

const onSocket = (message: unknown) => {
  const { socket } = message as { socket: Socket };
  const dialledAtMs = performance.now();
  socket.once('connect', () => {
    const times = timesOf(socket.remoteAddress ?? '');
    times.dialledAtMs = dialledAtMs;
  });
};

const onStart = (message: unknown) => {
  const { stream, headers } = message as { stream: ClientHttp2Stream; headers: Record<string, string> };
  const method = headers[':path']?.split('/').at(-1) ?? '';
  started.set(stream, { method, startedAtMs: performance.now() });
};

const onClose = (message: unknown) => {
  const { stream } = message as { stream: ClientHttp2Stream };
  const call = started.get(stream);
  const host = stream.session?.socket.remoteAddress;
  if (call && host !== undefined) timesOf(host).calls.push({ ...call, endedAtMs: performance.now() });
};

const LISTENERS = [
  ['net.client.socket', onSocket],
  ['http2.client.stream.start', onStart],
  ['http2.client.stream.close', onClose],
] as const;

process.on('message', (message) => {
  if (message === 'watch') for (const [name, listener] of LISTENERS) subscribe(name, listener);
  else if (message === 'times') for (const [name, listener] of LISTENERS) unsubscribe(name, listener);
  else return;
  process.send?.([...hosts.values()]);
  hosts.clear();
});
process.channel?.unref();

function timesOf(host: string): HostTimes {
  const found = hosts.get(host) ?? { host, dialledAtMs: null, calls: [] };
  hosts.set(host, found);
  return found;
}
