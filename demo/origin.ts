import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream';

// The artifact origin of the demo, a process of its own: serves the files of one directory on one address.
const [dir = '.', host = '127.0.0.1', port = '0'] = process.argv.slice(2);

const server = createServer(async (request, response) => {
  const file = join(dir, basename(new URL(request.url ?? '/', 'http://origin').pathname));
  try {
    const { size, mtimeMs } = await stat(file);
    const etag = `"${size}-${mtimeMs}"`;
    if (request.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end();
    response.writeHead(200, { 'content-length': size, etag });
    return pipeline(createReadStream(file), response, () => undefined);
  } catch {
    return response.writeHead(404).end('no such file\n');
  }
});
server.listen(Number(port), host);
