import { connect } from 'node:net';
import {
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js';
import { GrpcSession, type SessionOptions } from '@sampan/controller/grpc/grpc-session.ts';
import { onTestFinished } from 'vitest';

/** Methods of messages that are bytes. */
export interface RawMethods {
  ask?: handleUnaryCall<Buffer, Buffer>;
  watch?: handleServerStreamingCall<Buffer, Buffer>;
  send?: handleClientStreamingCall<Buffer, Buffer>;
}

export const ASK = '/test.Test/Ask';
export const WATCH = '/test.Test/Watch';
export const SEND = '/test.Test/Send';

const asItIs = (bytes: Buffer) => bytes;

function method(path: string, streams: { requestStream: boolean; responseStream: boolean }) {
  return {
    path,
    ...streams,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  };
}

const SERVICE = {
  Ask: method(ASK, { requestStream: false, responseStream: false }),
  Watch: method(WATCH, { requestStream: false, responseStream: true }),
  Send: method(SEND, { requestStream: true, responseStream: false }),
};

/** A gRPC server of another make, grpc-js, on a port of its own. Ends with the test. */
export async function startGrpcServer(methods: RawMethods): Promise<{ server: Server; port: number }> {
  const server = new Server({ 'grpc.max_send_message_length': -1 });
  server.addService(SERVICE, {
    ...(methods.ask ? { Ask: methods.ask } : {}),
    ...(methods.watch ? { Watch: methods.watch } : {}),
    ...(methods.send ? { Send: methods.send } : {}),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  onTestFinished(() => server.forceShutdown());
  return { server, port };
}

const LONG_MS = 60_000;

/** A session with what listens on a port of this machine. Closed with the test. */
export async function openSession(port: number, options: Partial<SessionOptions> = {}): Promise<GrpcSession> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return await GrpcSession.open(socket, { authority: 'test', keepaliveMs: LONG_MS, idleMs: LONG_MS, ...options });
}

/** What came of a call. */
export interface Came {
  messages: Buffer[];
  failure: unknown;
}

/** Makes a call with one message and hears it to its end. */
export function callRaw(
  session: GrpcSession,
  path: string,
  { message = Buffer.alloc(0), timeoutMs = LONG_MS, onMessage }: CallRaw = {},
): Promise<Came> {
  return new Promise((resolve) => {
    const messages: Buffer[] = [];
    const listener = {
      onMessage: (bytes: Buffer) => {
        messages.push(bytes);
        onMessage?.(bytes);
      },
      onEnd: (failure: unknown) => resolve({ messages, failure }),
    };
    session.call(path, listener, timeoutMs).finish(message);
  });
}

interface CallRaw {
  message?: Buffer;
  timeoutMs?: number;
  onMessage?: (bytes: Buffer) => void;
}
