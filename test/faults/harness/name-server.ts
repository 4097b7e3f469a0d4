import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';

/** A name server that knows a few names, and can fall silent. */
export interface NameServer {
  /** Whether it answers; at first it does. */
  answers: boolean;
  port: number;
  close(): void;
}

const HEADER_BYTES = 12;
const TYPE_A = 1;
const NO_SUCH_NAME = 3;

/** Serves IPv4 addresses by name on a port of an address; port 0 lets the system choose. */
export async function startNameServer(address: string, names: Record<string, string>, port = 53): Promise<NameServer> {
  const socket = createSocket('udp4');
  const server: NameServer = { answers: true, port, close: () => socket.close() };
  socket.on('message', (query: Buffer, { port, address: from }: RemoteInfo) => {
    if (server.answers) socket.send(answerTo(query, names), port, from);
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  server.port = socket.address().port;
  return server;
}

/** The question again, with one record of its type A; with none, where the name is known and another type is asked for. */
function answerTo(query: Buffer, names: Record<string, string>): Buffer {
  const { name, end } = nameIn(query);
  const question = query.subarray(HEADER_BYTES, end + 4);
  const ip = names[name.toLowerCase()];
  const isAnswered = ip !== undefined && query.readUInt16BE(end) === TYPE_A;
  const header = Buffer.from(query.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(0x8180 | (ip === undefined ? NO_SUCH_NAME : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(isAnswered ? 1 : 0, 6);
  header.fill(0, 8, 12);
  return Buffer.concat([header, question, ...(isAnswered ? [record(ip)] : [])]);
}

/** It points back at the question's name; good for no longer than this moment. */
function record(ip: string): Buffer {
  const fixed = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4]);
  return Buffer.concat([fixed, Buffer.from(ip.split('.').map(Number))]);
}

/** The name that is asked for, and where its bytes end. */
function nameIn(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}
