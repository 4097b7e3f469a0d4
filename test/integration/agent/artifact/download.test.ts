import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { agentConfigSchema } from '@sampan/agent/config.ts';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { file, tar, tarGz } from '../../../helpers/archives.ts';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { StagingGround } from '../../../helpers/staging-ground.ts';

let origin: Origin;
let ground: StagingGround;
beforeEach(async () => {
  origin = await startOrigin();
  ground = new StagingGround();
});
afterEach(() => origin.close());

/** Of bytes that do not compress, so that an archive has a length to break at. */
function archive(text: string): Buffer {
  const noise = Buffer.concat(
    Array.from({ length: 8000 }, (_, index) => createHash('sha256').update(`${index}`).digest()),
  );
  return tarGz(file('version.txt', text), file('noise.bin', noise));
}

const bytes = archive('one');
const other = archive('two');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const md5 = createHash('md5').update(bytes).digest('base64');
const etag = '"one"';

async function versionFrom(request: Parameters<StagingGround['unpack']>[0], download: object = {}): Promise<string> {
  const { root } = await ground.unpack(request, { download: { attempts: 4, ...download } });
  return readFileSync(join(root, 'version.txt'), 'utf8');
}

describe('what is fetched', () => {
  it('comes with its length, its checksum, its strong ETag and its progress', async () => {
    const url = origin.serve('/a.tar.gz', { body: bytes, etag });
    const { root, stagingDir, contentDir, treeFile, ...unpacked } = await ground.unpack({ url });
    expect(unpacked).toEqual({ kind: 'unpacked', sha256, bytes: bytes.length, entries: 2, etag });
    expect({ contentDir, treeFile }).toEqual({
      contentDir: join(stagingDir, 'content'),
      treeFile: join(stagingDir, 'tree.jsonl'),
    });
    expect(ground.progress.at(-1)).toEqual({ bytes: bytes.length, totalBytes: bytes.length, entries: 2 });
    expect(ground.staged).toEqual([
      { stagingDir, pid: expect.any(Number), pidStartTime: expect.stringMatching(/^\d+$/) },
    ]);
    expect(origin.received.map(({ headers }) => headers['accept-encoding'])).toEqual(['identity']);
  });

  it('has no ETag where that is weak', async () => {
    const url = origin.serve('/a.tar.gz', { body: bytes, etag: 'W/"one"' });
    expect((await ground.unpack({ url })).etag).toBeUndefined();
  });

  it('is not fetched again where the origin says that it is the same', async () => {
    const url = origin.serve('/a.tar.gz', { body: bytes, etag });
    expect(await ground.fetch({ url, ifNoneMatch: etag })).toEqual({ kind: 'not_modified' });
    expect(ground.staged).toEqual([]);
    expect(await versionFrom({ url, ifNoneMatch: '"another"' })).toBe('one');
  });

  it('is asked for without condition where the known ETag is weak', async () => {
    const url = origin.serve('/a.tar.gz', { body: bytes, etag: 'W/"one"' });
    expect(await versionFrom({ url, ifNoneMatch: 'W/"one"' })).toBe('one');
    expect(origin.received[0]?.headers['if-none-match']).toBeUndefined();
  });

  it('is taken without a length, in chunks or up to the end of the connection', async () => {
    for (const framing of ['chunked', 'close'] as const) {
      const { root: _, ...unpacked } = await ground.unpack({ url: origin.serve('/a', { body: bytes, framing }) });
      expect(unpacked).toMatchObject({ bytes: bytes.length, sha256 });
    }
  });

  it('has to have an end of its own where nobody says how long it is', async () => {
    const cut = { body: tar(file('a', 'text')).subarray(0, -1024), framing: 'close' } as const;
    const refusal = {
      code: 'ARCHIVE_CORRUPT',
      params: { reason: 'no end mark in it, and the origin did not say its length' },
    };
    expect(await ground.refusal({ url: origin.serve('/a', cut), filename: 'a.tar' })).toEqual(refusal);
    const jar = { body: Buffer.from('PK but no end'), framing: 'close' } as const;
    expect(await ground.refusal({ url: origin.serve('/b', jar), filename: 'b.jar' })).toEqual(refusal);
    const known = createHash('sha256').update(cut.body).digest('hex');
    expect(await ground.unpack({ url: `${origin.url}/a`, filename: 'a.tar', sha256: known })).toMatchObject({
      entries: 1,
    });
  });

  it('is taken as it is where the origin labels a .tar.gz as Content-Encoding gzip', async () => {
    const url = origin.serve('/a.tar.gz', { body: bytes, headers: { 'content-encoding': 'x-gzip' } });
    expect(await versionFrom({ url, sha256 })).toBe('one');
    const twice = origin.serve('/b.tar.gz', { body: gzipSync(bytes), headers: { 'content-encoding': 'gzip' } });
    expect(await ground.unpack({ url }).then(({ stagingDir }) => stagingDir)).toBeTruthy();
    expect(await new StagingGround().refusal({ url: twice })).toEqual({
      code: 'ARCHIVE_CORRUPT',
      params: { reason: 'compressed twice' },
    });
  });

  it('is refused where the origin insists on another encoding', async () => {
    const url = origin.serve('/a.tar.gz', { body: bytes, headers: { 'content-encoding': 'br' } });
    expect(await ground.refusal({ url })).toEqual({
      code: 'DOWNLOAD_CONNECTION',
      params: { origin: origin.url, reason: 'Content-Encoding br, expected identity' },
    });
  });

  it("is held against the origin's Content-MD5, unless the caller knows better", async () => {
    const url = origin.serve('/a.tar.gz', { body: other, headers: { 'content-md5': md5 } });
    expect(await ground.refusal({ url })).toEqual({
      code: 'CHECKSUM_MISMATCH',
      params: {
        algorithm: 'md5',
        found: createHash('md5').update(other).digest('hex'),
        expected: Buffer.from(md5, 'base64').toString('hex'),
      },
    });
    expect(await versionFrom({ url, sha256: createHash('sha256').update(other).digest('hex') })).toBe('two');
    const right = origin.serve('/b.tar.gz', { body: bytes, headers: { 'content-md5': md5 } });
    expect(await versionFrom({ url: right })).toBe('one');
  });

  it('is not larger than download.max_bytes, announced or not', async () => {
    const refusal = { code: 'DOWNLOAD_LIMIT', params: { max: 1000 } };
    for (const framing of [undefined, 'chunked'] as const) {
      const url = origin.serve('/a', { body: bytes, ...(framing ? { framing } : {}) });
      expect(await ground.refusal({ url }, { download: { max_bytes: 1000 } })).toEqual(refusal);
    }
  });

  it('is not begun where there is no room for it', async () => {
    const url = origin.serve('/a', {
      headers: { 'content-length': String(2 ** 50) },
      framing: 'chunked',
      body: 'x',
      stallAfter: 1,
    });
    expect(await ground.refusal({ url }, { download: { max_bytes: 2 ** 51 } })).toEqual({
      code: 'DISK_FULL',
      params: { path: ground.stagingRoot, neededBytes: 2 ** 50, freeBytes: expect.any(Number) },
    });
  });
});

describe('a URL', () => {
  it.each([
    ['file:///etc/passwd', 'file://'],
    ['ftp://example.com/a.tar.gz', 'ftp://example.com'],
    ['data:text/plain,x', 'data://'],
  ])('%s is not read', async (url, shown) => {
    expect(await ground.refusal({ url })).toEqual({ code: 'DOWNLOAD_NOT_ALLOWED', params: { origin: shown } });
  });

  it('that is none is named without what may be secret in it', async () => {
    expect(await ground.refusal({ url: 'no url?token=secret' })).toEqual({
      code: 'INVALID_REQUEST',
      params: { field: 'file_url', found: '[redacted]', expected: 'an http or https URL' },
    });
  });

  it('sends user and password to their origin, over redirects there, and to no other', async () => {
    const elsewhere = await startOrigin();
    onTestFinished(() => elsewhere.close());
    const target = elsewhere.serve('/c.tar.gz', { body: bytes });
    origin.serve('/a.tar.gz', { status: 302, headers: { location: '/b.tar.gz' } });
    origin.serve('/b.tar.gz', { status: 307, headers: { location: target } });
    const url = `${origin.url.replace('//', '//us%40er:pa%3Ass@')}/a.tar.gz`;
    expect(await versionFrom({ url })).toBe('one');
    const basic = `Basic ${Buffer.from('us@er:pa:ss').toString('base64')}`;
    expect(origin.received.map(({ headers }) => headers.authorization)).toEqual([basic, basic]);
    expect(elsewhere.received.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('is never shown with its password or its query', async () => {
    const port = await closedPort();
    const failing = [
      { url: `http://user:secret@127.0.0.1:${port}/a.tar.gz?signature=secret` },
      { url: `${origin.url.replace('//', '//user:secret@')}/missing.tar.gz?signature=secret` },
      { url: 'ftp://user:secret@example.com/a?signature=secret' },
    ];
    for (const request of failing) {
      const error: unknown = await ground.fetch(request).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      const { message, params } = error as Error & { params: object };
      expect(message + JSON.stringify(params)).not.toContain('secret');
    }
    expect(origin.received.map(({ url }) => url)).toEqual(['/missing.tar.gz?signature=secret']);
  });

  it.each([
    ['file:///etc/passwd', 'file://'],
    ['ftp://127.0.0.1/a', 'ftp://127.0.0.1'],
    ['http://[::1', '[redacted]'],
  ])('that redirects to %s leads nowhere', async (location, shown) => {
    const url = origin.serve('/a', { status: 302, headers: { location } });
    expect(await ground.refusal({ url })).toEqual({ code: 'DOWNLOAD_NOT_ALLOWED', params: { origin: shown } });
  });

  it('may redirect five times, and not six', async () => {
    origin.serve('/6', { status: 308, headers: { location: '5' } });
    for (const hop of [5, 4, 3, 2]) origin.serve(`/${hop}`, { status: 301, headers: { location: `${hop - 1}` } });
    origin.serve('/1', { status: 303, headers: { location: '/0' } });
    origin.serve('/0', { body: bytes });
    expect(await versionFrom({ url: `${origin.url}/5` })).toBe('one');
    expect(await new StagingGround().refusal({ url: `${origin.url}/6` })).toEqual({
      code: 'DOWNLOAD_REDIRECTS',
      params: { max: 5 },
    });
    const loop = origin.serve('/loop', { status: 302, headers: { location: '/loop' } });
    expect(await new StagingGround().refusal({ url: loop })).toEqual({
      code: 'DOWNLOAD_REDIRECTS',
      params: { max: 5 },
    });
    expect(origin.requests('/loop')).toBe(6);
  });

  it('outside download.allow is not asked, whether directly or by redirect', async () => {
    const elsewhere = await startOrigin();
    onTestFinished(() => elsewhere.close());
    const away = origin.serve('/ok/a', {
      status: 302,
      headers: { location: elsewhere.serve('/ok/b', { body: bytes }) },
    });
    const download = { allow: [`${origin.url}/ok/**`] };
    for (const url of [`${elsewhere.url}/ok/b`, away]) {
      expect(await ground.refusal({ url }, { download })).toEqual({
        code: 'DOWNLOAD_NOT_ALLOWED',
        params: { origin: elsewhere.url },
      });
    }
    expect(await ground.refusal({ url: `${origin.url}/other` }, { download })).toEqual({
      code: 'DOWNLOAD_NOT_ALLOWED',
      params: { origin: origin.url },
    });
    expect([elsewhere.received.length, origin.received.length]).toEqual([0, 1]);
  });

  it('whose name does not resolve says so at once', async () => {
    expect(await ground.refusal({ url: 'http://no-such-host.invalid/a' }, { download: { attempts: 20 } })).toEqual({
      code: 'DOWNLOAD_CONNECTION',
      params: { origin: 'http://no-such-host.invalid', reason: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) },
    });
  });

  it('goes through the proxy that is configured', async () => {
    origin.serve('/a.tar.gz', { body: bytes });
    const url = 'http://artifacts.invalid/a.tar.gz?x=1';
    origin.serve('http://artifacts.invalid/a.tar.gz', { body: bytes });
    expect(await versionFrom({ url }, { proxy: origin.url })).toBe('one');
    expect(origin.received.map((request) => request.url)).toEqual([url]);
  });

  it.each([
    { answer: 'HTTP/1.1 403 No\r\n\r\n', reason: 'the proxy opens no tunnel: HTTP 403', times: 1 },
    { answer: 'HTTP/1.1 503 No\r\n\r\n', reason: 'the proxy opens no tunnel: HTTP 503', times: 2 },
    { answer: '', reason: 'connection closed', times: 2 },
  ])('asks the proxy for a tunnel where it is https, $times times: $reason', async ({ answer, reason, times }) => {
    const asked: (string | undefined)[] = [];
    const proxy = createHttpServer().on('connect', ({ url }, socket) => {
      asked.push(url);
      socket.end(answer);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    onTestFinished(() => void proxy.close());
    const { port } = proxy.address() as AddressInfo;
    const download = { proxy: `http://ci:secret@127.0.0.1:${port}`, attempts: 2 };
    expect(await ground.refusal({ url: 'https://artifacts.invalid/a' }, { download })).toEqual({
      code: 'DOWNLOAD_CONNECTION',
      params: { origin: 'https://artifacts.invalid', reason, proxy: `http://127.0.0.1:${port}` },
    });
    expect(asked).toEqual(Array(times).fill('artifacts.invalid:443'));
  });

  it.each([
    ['does not answer', ''],
    ['opens the tunnel and passes nothing on', 'HTTP/1.1 200 OK\r\n\r\n'],
  ])('does not wait for ever for a proxy that %s', async (_what, answer) => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<Socket>();
    const proxy = createServer((socket) => {
      socket.on('error', () => socket.destroy()).once('data', () => socket.write(answer, () => ask(socket)));
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    onTestFinished(() => void proxy.close());
    const url = 'https://artifacts.invalid/a';
    const { port } = proxy.address() as AddressInfo;
    const download = { proxy: `http://127.0.0.1:${port}` };
    const caller = new AbortController();
    const fetched = ground.fetch({ url }, { download }, caller.signal);
    const socket = await asked;
    const closed = new Promise((resolve) => socket.resume().once('close', resolve));
    caller.abort(new Error('cancelled'));
    await expect(fetched).rejects.toThrow('cancelled');
    await closed;
    expect(await ground.refusal({ url }, { download: { ...download, timeout: '300ms' } })).toEqual({
      code: 'DOWNLOAD_TIMEOUT',
      params: { seconds: 0.3, bytes: 0, ...download },
    });
  });

  it('that breaks off or stalls behind a proxy says which', async () => {
    const proxy = origin.url;
    const url = 'http://artifacts.invalid/a.tar.gz';
    origin.serve(url, { body: bytes, breakAfter: 5000 });
    expect(await ground.refusal({ url }, { download: { proxy } })).toEqual({
      code: 'DOWNLOAD_TRUNCATED',
      params: { found: 5000, expected: bytes.length, proxy },
    });
    origin.serve(url, { body: bytes, stallAfter: 1000 });
    expect(await ground.refusal({ url }, { download: { proxy, idle_timeout: '300ms' } })).toEqual({
      code: 'DOWNLOAD_TIMEOUT',
      params: { seconds: 0.3, bytes: 1000, proxy },
    });
    expect(await ground.refusal({ url }, { download: { proxy, timeout: '300ms' } })).toEqual({
      code: 'DOWNLOAD_TIMEOUT',
      params: { seconds: 0.3, bytes: 1000, proxy },
    });
  });

  it.each(['socks5://127.0.0.1:1080', 'ftp://127.0.0.1', '127.0.0.1:3128'])(
    'is never asked for past a proxy of a kind that there is not: %s is refused',
    (proxy) => {
      const { error } = agentConfigSchema.safeParse({ download: { proxy } });
      expect(error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
        'download.proxy: expected the URL of an HTTP proxy, such as http://proxy:3128',
      ]);
    },
  );
});

describe('a download that fails', () => {
  it.each([400, 401, 403, 404, 410, 206, 304])('with HTTP %d is not tried again', async (status) => {
    const url = origin.serve('/a', { status, body: 'no' });
    expect(await ground.refusal({ url }, { download: { attempts: 4 } })).toEqual({
      code: 'DOWNLOAD_HTTP_STATUS',
      params: { status },
    });
    expect(origin.requests('/a')).toBe(1);
  });

  it.each([408, 500, 502, 503, 504])('with HTTP %d is tried again', async (status) => {
    const url = origin.serve('/a', { status, body: 'busy' }, { body: bytes });
    expect(await versionFrom({ url })).toBe('one');
    expect(origin.requests('/a')).toBe(2);
  });

  it('every time is given up after download.attempts', async () => {
    const url = origin.serve('/a', { status: 503, body: 'busy' });
    expect(await ground.refusal({ url }, { download: { attempts: 3 } })).toEqual({
      code: 'DOWNLOAD_HTTP_STATUS',
      params: { status: 503 },
    });
    expect(origin.requests('/a')).toBe(3);
  });

  it.each([429, 503])('with HTTP %d waits as long as Retry-After says', async (status) => {
    const url = origin.serve('/a', { status, headers: { 'retry-after': '1' } }, { body: bytes });
    const before = performance.now();
    expect(await versionFrom({ url })).toBe('one');
    expect(performance.now() - before).toBeGreaterThan(990);
  });

  it('because nobody listens says so', async () => {
    const base = `http://127.0.0.1:${await closedPort()}`;
    expect(await ground.refusal({ url: `${base}/a` }, { download: { attempts: 2 } })).toEqual({
      code: 'DOWNLOAD_CONNECTION',
      params: { origin: base, reason: 'ECONNREFUSED' },
    });
  });

  it('because the origin is silent says so', async () => {
    const url = origin.serve('/a', { silent: true });
    expect(await ground.refusal({ url }, { download: { idle_timeout: '1s' } })).toEqual({
      code: 'DOWNLOAD_CONNECTION',
      params: { origin: origin.url, reason: 'no answer in time' },
    });
  });

  it('because the origin stalls says how far it came', async () => {
    const url = origin.serve('/a', { body: bytes, stallAfter: 1000 });
    expect(await ground.refusal({ url }, { download: { idle_timeout: '1s' } })).toEqual({
      code: 'DOWNLOAD_TIMEOUT',
      params: { seconds: 1, bytes: 1000 },
    });
  });

  it('because the origin trickles ends at download.timeout', async () => {
    const url = origin.serve('/a', { body: bytes, trickle: { bytes: 10, everyMs: 20 } });
    const { code, params } = await ground.refusal({ url }, { download: { timeout: '700ms', attempts: 20 } });
    expect({ code, params }).toEqual({ code: 'DOWNLOAD_TIMEOUT', params: { seconds: 0.7, bytes: expect.any(Number) } });
    expect(origin.requests('/a')).toBe(1);
  });

  it('because the origin truncates says what came and what should have', async () => {
    const url = origin.serve('/a', { body: bytes, breakAfter: 5000 });
    expect(await ground.refusal({ url }, { download: { attempts: 2 } })).toEqual({
      code: 'DOWNLOAD_TRUNCATED',
      params: { found: 5000, expected: bytes.length },
    });
    expect(ground.staged).toHaveLength(2);
  });

  it('in the middle of chunks says that the connection broke', async () => {
    const url = origin.serve('/a', { body: bytes, breakAfter: 5000, framing: 'chunked' });
    expect(await ground.refusal({ url })).toEqual({
      code: 'DOWNLOAD_CONNECTION',
      params: { origin: origin.url, reason: 'connection closed' },
    });
  });
});

describe('a download that breaks off', () => {
  const broken = { body: bytes, breakAfter: 100_000 };

  it('goes on where it broke, with the same strong ETag', async () => {
    const url = origin.serve('/a', { ...broken, etag, ranges: true }, { body: bytes, etag, ranges: true });
    expect(await versionFrom({ url, sha256 })).toBe('one');
    expect(origin.received.map(({ headers }) => [headers.range, headers['if-range']])).toEqual([
      [undefined, undefined],
      ['bytes=100000-', etag],
    ]);
    expect(ground.staged).toHaveLength(1);
  });

  it('goes on more than once, over errors in between', async () => {
    const url = origin.serve(
      '/a',
      { ...broken, etag, ranges: true },
      { status: 503 },
      { ...broken, etag, ranges: true },
      { body: bytes, etag, ranges: true },
    );
    expect(await versionFrom({ url, sha256 })).toBe('one');
    expect(origin.received.map(({ headers }) => headers.range)).toEqual([
      undefined,
      'bytes=100000-',
      'bytes=100000-',
      'bytes=200000-',
    ]);
    expect(ground.staged).toHaveLength(1);
  });

  it.each([
    ['has no ETag', { ...broken, ranges: true }, { body: other, ranges: true }],
    ['has a weak ETag', { ...broken, etag: 'W/"one"', ranges: true }, { body: other, etag: 'W/"one"', ranges: true }],
    [
      'said no length',
      { ...broken, etag, ranges: true, framing: 'chunked' as const },
      { body: other, etag, ranges: true },
    ],
  ])('starts again where the file %s', async (_, first, second) => {
    const url = origin.serve('/a', first, second);
    expect(await versionFrom({ url })).toBe('two');
    expect(origin.received.map(({ headers }) => headers.range)).toEqual([undefined, undefined]);
    expect(new Set(ground.staged.map(({ stagingDir }) => stagingDir)).size).toBe(2);
  });

  it('starts again with the whole answer where the file has changed meanwhile', async () => {
    const url = origin.serve('/a', { ...broken, etag, ranges: true }, { body: other, etag: '"two"', ranges: true });
    expect(await versionFrom({ url })).toBe('two');
    expect(origin.requests('/a')).toBe(2);
    expect(ground.staged).toHaveLength(2);
  });

  it.each([
    [
      'of another file',
      {
        body: other,
        status: 206,
        etag: '"two"',
        headers: { 'content-range': `bytes 100000-${other.length - 1}/${other.length}` },
      },
    ],
    [
      'without an ETag',
      { body: other, status: 206, headers: { 'content-range': `bytes 100000-${other.length - 1}/${other.length}` } },
    ],
    [
      'of another place',
      { body: bytes, etag, status: 206, headers: { 'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}` } },
    ],
    [
      'of another length',
      {
        body: bytes,
        etag,
        status: 206,
        headers: { 'content-range': `bytes 100000-${bytes.length}/${bytes.length + 1}` },
      },
    ],
    ['that cannot be', { body: '', etag, status: 416 }],
  ])('starts again where the origin answers with a part %s', async (_, odd) => {
    const url = origin.serve('/a', { ...broken, etag, ranges: true }, odd, { body: other });
    expect(await versionFrom({ url })).toBe('two');
    expect(origin.received.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100000-', undefined]);
    expect(ground.staged).toHaveLength(2);
  });

  it('says that the file keeps changing when no attempt is left', async () => {
    const url = origin.serve('/a', { ...broken, etag, ranges: true }, { body: '', status: 416, etag: '"two"' });
    expect(await ground.refusal({ url }, { download: { attempts: 2 } })).toEqual({
      code: 'DOWNLOAD_CHANGED',
      params: { found: '"two"', expected: etag },
    });
  });
});

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
