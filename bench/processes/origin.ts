import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';

// A program: serves the files of one directory from memory, each read when it is first asked for, and prints its port.
// It does as little as can be: it shares the cores with what is measured.
if (import.meta.main) await serve(process.argv[2] ?? '.');

async function serve(dir: string): Promise<void> {
  const files = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url ?? '/', 'http://origin').pathname);
    try {
      const bytes = files.get(name) ?? readFileSync(join(dir, name));
      files.set(name, bytes);
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.stdout.write(`${JSON.stringify({ msg: 'origin is ready', port: (server.address() as AddressInfo).port })}\n`);
}
