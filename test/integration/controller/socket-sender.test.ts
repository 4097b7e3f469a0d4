import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { sendEvents } from '@sampan/controller/http/v1/rollout-events.ts';
import type { SenderLimits } from '@sampan/controller/http/v1/socket-sender.ts';
import type { RolloutEvents } from '@sampan/controller/rollout/rollout-events.ts';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

const MIB = 1024 ** 2;
const LIMITS: SenderLimits = { maxBufferedBytes: 256 * 1024, stallMs: 500, pingMs: 60_000 };

interface TestEvents extends RolloutEvents {
  taken: number;
  /** Resolved when the server is done with a client of it. */
  over: PromiseWithResolvers<void>;
}

/** A rollout with so many events of a KiB each; `read` counts those that were read. */
function eventsUpTo(count: number): TestEvents {
  const filler = 'x'.repeat(1000);
  const source = {
    taken: 0,
    over: Promise.withResolvers<void>(),
    read: async (after: number, limit: number) => {
      const page = Array.from({ length: Math.max(0, Math.min(limit, count - after)) }, (_, n) => after + n + 1);
      source.taken = Math.max(source.taken, page.at(-1) ?? 0);
      return page.map((seq) => ({ seq, at: '2026-11-29T00:00:00.000Z', kind: 'progress', filler }));
    },
    follow: () => ({ next: () => new Promise<void>(() => undefined), close: () => undefined }),
    hasEnded: async () => true,
  };
  return source;
}

/** A server that sends each client the events that the client's path names. */
async function serve(streams: Record<string, TestEvents>): Promise<(path: string) => WebSocket> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  server.on('connection', (socket, { url = '' }) => {
    const after = Number(new URL(url, 'http://x').searchParams.get('after'));
    const stream = streams[url.split('?')[0]!]!;
    void sendEvents(socket, { stream, after, limits: LIMITS }).then(() => stream.over.resolve());
  });
  await once(server, 'listening');
  return (path) => new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
}

it('a client that stops reading costs a bounded number of bytes and is dropped; others get all of theirs meanwhile', async () => {
  const endless = eventsUpTo(10_000_000);
  const short = eventsUpTo(5_000);
  const connect = await serve({ '/endless': endless, '/short': short });
  const slow = connect('/endless');
  const seen: number[] = [];
  slow.on('message', (data: Buffer) => {
    seen.push((JSON.parse(data.toString('utf8')) as { seq: number }).seq);
    if (seen.length === 1) slow.pause();
  });
  const dropped = once(slow, 'close');
  slow.on('error', () => undefined);
  await once(slow, 'message');
  const quick = connect('/short');
  let got = 0;
  quick.on('message', () => {
    got += 1;
  });
  const [code] = (await once(quick, 'close')) as [number];
  expect({ code, got }).toEqual({ code: 1000, got: 5_000 });
  // What the kernel holds on both sides is a few MiB; the rest was never read.
  await endless.over.promise;
  const taken = endless.taken;
  expect(taken * 1024).toBeLessThan(32 * MIB);
  slow.resume();
  await dropped;
  expect(endless.taken * 1024).toBeLessThan(32 * MIB);
  // It goes on where it was.
  const again = connect(`/endless?after=${seen.at(-1)}`);
  again.on('error', () => undefined);
  const [first] = (await once(again, 'message')) as [Buffer];
  expect((JSON.parse(first.toString('utf8')) as { seq: number }).seq).toBe(seen.at(-1)! + 1);
  again.terminate();
});
