import { once } from 'node:events';
import { constants, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Server as GrpcServer, Metadata, type ServerWritableStream, status as Status } from '@grpc/grpc-js';
import type { GrpcCall } from '@sampan/controller/grpc/grpc-call.ts';
import { GrpcSession } from '@sampan/controller/grpc/grpc-session.ts';
import { frame } from '@sampan/controller/grpc/messages.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProxy } from '../../helpers/cuttable-proxy.ts';
import { ASK, callRaw, openSession, SEND, startGrpcServer, WATCH } from '../../helpers/grpc-server.ts';

/** Frames: empty SETTINGS, and a GOAWAY without an error. */
const SETTINGS = '000000040000000000';
const GOAWAY = '0000080700000000000000000000000000';
const KIB = 1024;
const MIB = 1024 * KIB;

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A server of HTTP/2 that does with each stream as it is told. */
async function http2Server(onStream: (stream: ServerHttp2Stream) => void): Promise<number> {
  const server = createHttp2Server();
  server.on('stream', (stream) => {
    const served = stream as ServerHttp2Stream;
    served.on('error', () => undefined);
    onStream(served);
  });
  return await listening(server);
}

/** A method that says nothing, and who calls it. */
function silent() {
  const called = Promise.withResolvers<ServerWritableStream<Buffer, Buffer>>();
  return { watch: (call: ServerWritableStream<Buffer, Buffer>) => called.resolve(call), called: called.promise };
}

describe('a call to a gRPC server of another make', () => {
  it('is answered', async () => {
    const { port } = await startGrpcServer({ ask: ({ request }, done) => done(null, Buffer.from(`${request}!`)) });
    const session = await openSession(port);
    const came = await Promise.all(
      ['one', 'two', ''].map((text) => callRaw(session, ASK, { message: Buffer.from(text) })),
    );
    expect(came.map(({ messages, failure }) => [messages.map(String), failure])).toEqual([
      [['one!'], undefined],
      [['two!'], undefined],
      [['!'], undefined],
    ]);
    expect(session.isBusy).toBe(false);
  });

  it('brings every status, with its words and what came with it', async () => {
    const codes = Object.values(Status).filter((code) => typeof code === 'number' && code !== Status.OK) as Status[];
    const metadata = new Metadata();
    metadata.set('why-bin', Buffer.from([0, 255]));
    const { port } = await startGrpcServer({
      ask: ({ request }, done) => done({ code: Number(`${request}`), details: '100 % 忙', metadata }),
    });
    const session = await openSession(port);
    for (const code of codes) {
      const { failure } = await callRaw(session, ASK, { message: Buffer.from(`${code}`) });
      expect(failure).toMatchObject({ status: Status[code], details: '100 % 忙', metadata: { 'why-bin': 'AP8=' } });
    }
  });

  it('of a method that it does not have is UNIMPLEMENTED', async () => {
    const session = await openSession((await startGrpcServer({})).port);
    expect((await callRaw(session, '/test.Test/No')).failure).toMatchObject({ status: 'UNIMPLEMENTED' });
  });

  it('brings thousands of messages in order, and the failure after them', async () => {
    const { port } = await startGrpcServer({
      watch: (call) => {
        for (let number = 0; number < 5_000; number += 1) call.write(Buffer.from(`${number}`));
        call.emit('error', { code: Status.ABORTED, details: 'enough' });
      },
    });
    const { messages, failure } = await callRaw(await openSession(port), WATCH);
    expect(messages.map(String)).toEqual(Array.from({ length: 5_000 }, (_, number) => `${number}`));
    expect(failure).toMatchObject({ status: 'ABORTED', details: 'enough' });
  });

  it('takes a message of 4 MiB, and none that is bigger', async () => {
    const { port } = await startGrpcServer({
      ask: ({ request }, done) => done(null, Buffer.alloc(Number(`${request}`))),
    });
    const session = await openSession(port);
    const ask = (bytes: number) => callRaw(session, ASK, { message: Buffer.from(`${bytes}`) });
    expect((await ask(4 * MIB)).messages.map(({ length }) => length)).toEqual([4 * MIB]);
    expect(await ask(4 * MIB + 1)).toMatchObject({ messages: [], failure: { status: 'RESOURCE_EXHAUSTED' } });
    expect((await ask(3)).failure).toBeUndefined();
  });

  it('ends at its deadline, at the server too', async () => {
    const { watch, called } = silent();
    const session = await openSession((await startGrpcServer({ watch })).port);
    const came = callRaw(session, WATCH, { timeoutMs: 100 });
    const cancelled = once(await called, 'cancelled');
    expect((await came).failure).toMatchObject({ status: 'DEADLINE_EXCEEDED' });
    await cancelled;
    expect(session.isBusy).toBe(false);
    expect(session.ended.aborted).toBe(false);
  });

  it('that is cancelled ends with the reason at once, and at the server', async () => {
    const { watch, called } = silent();
    const session = await openSession((await startGrpcServer({ watch })).port);
    const came = callRaw(session, WATCH);
    const cancelled = once(await called, 'cancelled');
    session.cancelAll('not wanted');
    expect(await came).toEqual({ messages: [], failure: 'not wanted' });
    await cancelled;
  });

  it('ends with what its listener throws, and hears nothing more', async () => {
    const gone = Promise.withResolvers<void>();
    const { port } = await startGrpcServer({
      watch: (call) => {
        call.on('cancelled', () => gone.resolve());
        for (let number = 0; number < 100; number += 1) call.write(Buffer.from(`${number}`));
      },
    });
    const fault = new Error('not this');
    const onMessage = (bytes: Buffer) => {
      if (`${bytes}` === '2') throw fault;
    };
    const { messages, failure } = await callRaw(await openSession(port), WATCH, { onMessage });
    expect(messages.map(String)).toEqual(['0', '1', '2']);
    expect(failure).toBe(fault);
    await gone.promise;
  });

  it('that is not read holds up nobody, fills no memory, and brings all of it in the end', async () => {
    const total = 4_000;
    let written = 0;
    const { port } = await startGrpcServer({
      ask: ({ request }, done) => done(null, request),
      watch: async (call) => {
        for (; written < total; written += 1) {
          if (!call.write(Buffer.alloc(KIB, written % 256))) await once(call, 'drain');
        }
        call.end();
      },
    });
    const session = await openSession(port);
    const came = Promise.withResolvers<unknown>();
    const begun = Promise.withResolvers<void>();
    const messages: Buffer[] = [];
    const call: GrpcCall = session.call(
      WATCH,
      {
        onMessage: (bytes) => {
          if (messages.push(bytes) === 1) call.pause();
          begun.resolve();
        },
        onEnd: came.resolve,
      },
      60_000,
    );
    call.finish(Buffer.alloc(0));
    await begun.promise;
    for (let asked = 0; asked < 50; asked += 1) expect((await callRaw(session, ASK)).failure).toBeUndefined();
    // The window of a stream is 64 KiB; what the server itself holds back comes on top.
    expect(written).toBeLessThan(total / 4);
    expect(messages.length).toBeLessThan(total / 4);
    call.resume();
    expect(await came.promise).toBeUndefined();
    expect(messages.map((bytes) => bytes[0])).toEqual(Array.from({ length: total }, (_, index) => index % 256));
  });

  it('sends many messages, no faster than they are taken', async () => {
    const { port } = await startGrpcServer({
      send: async (call, done) => {
        let bytes = 0;
        for await (const chunk of call) bytes += (chunk as Buffer).length;
        done(null, Buffer.from(`${bytes}`));
      },
    });
    const session = await openSession(port);
    const came = Promise.withResolvers<unknown>();
    const answers: string[] = [];
    const call = session.call(SEND, { onMessage: (bytes) => answers.push(`${bytes}`), onEnd: came.resolve }, 60_000);
    let waited = 0;
    for (let sent = 0; sent < 64; sent += 1) {
      if (call.send(Buffer.alloc(256 * KIB))) continue;
      waited += 1;
      await call.drained();
    }
    call.finish();
    expect(await came.promise).toBeUndefined();
    expect(answers).toEqual([`${16 * MIB}`]);
    expect(waited).toBeGreaterThan(10);
  });

  it('that is refused while it sends ends with the refusal, and sends no more', async () => {
    const { port } = await startGrpcServer({ send: (_call, done) => done({ code: Status.NOT_FOUND, details: 'no' }) });
    const session = await openSession(port);
    const came = Promise.withResolvers<unknown>();
    const call = session.call(SEND, { onMessage: () => undefined, onEnd: came.resolve }, 60_000);
    const send = async () => {
      for (;;) if (!call.send(Buffer.alloc(256 * KIB))) await call.drained();
    };
    await expect(send()).rejects.toMatchObject({ status: 'CANCELLED' });
    expect(await came.promise).toMatchObject({ status: 'NOT_FOUND', details: 'no' });
    expect((await callRaw(session, '/test.Test/No')).failure).toMatchObject({ status: 'UNIMPLEMENTED' });
  });
});

describe('a session', () => {
  it('that breaks ends its calls as UNAVAILABLE, and takes no more', async () => {
    const { watch, called } = silent();
    const { port } = await startGrpcServer({ watch });
    const proxy = await startProxy(port);
    const session = await openSession(Number(proxy.host.split(':')[1]));
    const came = callRaw(session, WATCH);
    await called;
    const ended = once(session.ended, 'abort');
    proxy.cut();
    expect((await came).failure).toMatchObject({ status: 'UNAVAILABLE' });
    await ended;
    await expect(callRaw(session, ASK)).rejects.toMatchObject({ status: 'UNAVAILABLE' });
  });

  it('behind a wire that was cut notices it while a call runs', async () => {
    const { watch, called } = silent();
    const { port } = await startGrpcServer({ watch });
    const proxy = await startProxy(port);
    const session = await openSession(Number(proxy.host.split(':')[1]), { keepaliveMs: 50 });
    const came = callRaw(session, WATCH);
    await called;
    proxy.swallow();
    expect((await came).failure).toMatchObject({ status: 'UNAVAILABLE' });
    expect(session.ended.aborted).toBe(true);
  });

  it.each<[string, (session: GrpcSession, server: GrpcServer) => void]>([
    ['is closed', (session) => session.close()],
    ['was told to go away', (_session, server) => server.tryShutdown(() => undefined)],
  ])('that %s notices that too, and while the wire is whole lets its calls run', async (_what, leave) => {
    const { watch, called } = silent();
    const { server, port } = await startGrpcServer({ watch });
    const proxy = await startProxy(port);
    const keepaliveMs = 50;
    const session = await openSession(Number(proxy.host.split(':')[1]), { keepaliveMs });
    const heard = Promise.withResolvers<void>();
    const came = callRaw(session, WATCH, { onMessage: () => heard.resolve() });
    const call = await called;
    const ended = once(session.ended, 'abort');
    leave(session, server);
    await ended;
    // Long after it would have been given up without a sign of life.
    await delay(10 * keepaliveMs);
    call.write(Buffer.from('still here'));
    await heard.promise;
    proxy.swallow();
    expect(await came).toMatchObject({ messages: [Buffer.from('still here')], failure: { status: 'UNAVAILABLE' } });
  });

  it('that is lost while nobody reads says so, and not that all has come', async () => {
    const { watch, called } = silent();
    const { port } = await startGrpcServer({ watch });
    const proxy = await startProxy(port);
    const session = await openSession(Number(proxy.host.split(':')[1]));
    const came = Promise.withResolvers<unknown>();
    const call = session.call(WATCH, { onMessage: () => undefined, onEnd: came.resolve }, 60_000);
    call.finish(Buffer.alloc(0));
    const served = await called;
    call.pause();
    served.write(Buffer.from('unread'));
    served.end();
    // Behind all of this on the same connection.
    expect((await callRaw(session, ASK)).failure).toMatchObject({ status: 'UNIMPLEMENTED' });
    proxy.cut();
    expect(await came.promise).toMatchObject({ status: 'UNAVAILABLE' });
  });

  it('leaves no socket behind when the other side never closes its own', async () => {
    const server = createHttp2Server();
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    server.on('stream', (stream) => {
      (stream as ServerHttp2Stream).respond({ ':status': 404 }, { endStream: true });
      stream.session?.goaway();
    });
    const port = await listening(server);
    const socket = connect({ host: '127.0.0.1', port });
    const [far] = await accepted;
    // What ends here is not ended there.
    far.allowHalfOpen = true;
    far.end = () => far;
    far.destroySoon = () => undefined;
    const session = await GrpcSession.open(socket, { authority: 'test', keepaliveMs: 50, idleMs: 60_000 });
    expect((await callRaw(session, ASK)).failure).toMatchObject({ status: 'UNIMPLEMENTED' });
    await once(socket, 'close');
    expect(session.ended.aborted).toBe(true);
    far.destroy();
  });

  it('with a server that goes away in its first words has ended when it is open', async () => {
    const server = createServer((socket) => socket.write(Buffer.from(SETTINGS + GOAWAY, 'hex')));
    const session = await openSession(await listening(server));
    await expect.poll(() => session.ended.aborted).toBe(true);
    await expect(callRaw(session, ASK)).rejects.toMatchObject({ status: 'UNAVAILABLE' });
  });

  it('with a server that answers signs of life goes on, however long a call is silent', async () => {
    const { watch, called } = silent();
    const session = await openSession((await startGrpcServer({ watch })).port, { keepaliveMs: 20 });
    const came = callRaw(session, WATCH);
    const call = await called;
    // Ten times as long as it takes to be given up.
    await callRaw(session, WATCH, { timeoutMs: 400 });
    call.end();
    expect((await came).failure).toBeUndefined();
  });

  it('that is told to go away takes no more calls, and lets those that run finish', async () => {
    const { watch, called } = silent();
    const { server, port } = await startGrpcServer({ watch });
    const session = await openSession(port);
    const came = callRaw(session, WATCH);
    const call = await called;
    const ended = once(session.ended, 'abort');
    server.tryShutdown(() => undefined);
    await ended;
    await expect(callRaw(session, ASK)).rejects.toMatchObject({ status: 'UNAVAILABLE' });
    call.write(Buffer.from('last'));
    call.end();
    expect(await came).toEqual({ messages: [Buffer.from('last')], failure: undefined });
  });

  it('closes when it was not used for a while, and not while a call runs', async () => {
    const { watch, called } = silent();
    const session = await openSession((await startGrpcServer({ watch })).port, { idleMs: 50 });
    const came = callRaw(session, WATCH);
    const call = await called;
    await callRaw(session, WATCH, { timeoutMs: 200 });
    expect(session.ended.aborted).toBe(false);
    const ended = once(session.ended, 'abort');
    call.end();
    expect((await came).failure).toBeUndefined();
    await ended;
  });

  it.each<[string, (socket: Socket) => void]>([
    ['answers in HTTP/1', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['closes at once', (socket) => socket.end()],
    ['resets', (socket) => socket.resetAndDestroy()],
  ])('does not open with what %s', async (_what, answer) => {
    const port = await listening(
      createServer((socket) => {
        socket.on('error', () => undefined);
        answer(socket);
      }),
    );
    await expect(openSession(port)).rejects.toThrow();
  });
});

describe('an answer that is not as gRPC has it', () => {
  const headers = { ':status': 200, 'content-type': 'application/grpc' };

  it.each<[string, (stream: ServerHttp2Stream) => void, object]>([
    ['is a page', (stream) => stream.respond({ ':status': 404 }, { endStream: true }), { status: 'UNIMPLEMENTED' }],
    ['has no status', (stream) => stream.respond(headers, { endStream: true }), { status: 'INTERNAL' }],
    ['is reset', (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM), { status: 'UNAVAILABLE' }],
    ['is cancelled', (stream) => stream.close(constants.NGHTTP2_CANCEL), { status: 'CANCELLED' }],
    [
      'ends within a message',
      (stream) => {
        stream.respond(headers, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(frame(Buffer.from('half of it')).subarray(0, 9));
      },
      { status: 'INTERNAL', details: 'the answer ends within a message' },
    ],
    [
      'is reset after a message',
      (stream) => {
        stream.respond(headers);
        stream.write(frame(Buffer.from('one')), () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
      },
      { status: 'INTERNAL' },
    ],
    [
      'takes the connection with it',
      (stream) => stream.session?.socket.destroy(),
      { status: 'UNAVAILABLE', details: 'the connection broke' },
    ],
    ['is the end of the session', (stream) => stream.session?.destroy(), { status: 'UNAVAILABLE' }],
  ])('%s', async (_what, answer, failure) => {
    const session = await openSession(await http2Server(answer));
    expect((await callRaw(session, ASK)).failure).toMatchObject(failure);
    expect(session.isBusy).toBe(false);
  });
});
