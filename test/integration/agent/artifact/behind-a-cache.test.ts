import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '@sampan/shared/error-text.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { file, tarGz } from '../../../helpers/archives.ts';
import { type Origin, startOrigin } from '../../../helpers/origin.ts';
import { requires } from '../../../helpers/requires.ts';
import { sendRequest } from '../../../helpers/send-request.ts';
import { StagingGround } from '../../../helpers/staging-ground.ts';
import { type ArtifactCache, startArtifactCache } from '../../../helpers/start-artifact-cache.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

/** Of bytes that do not compress, so that it is long enough to break off in the middle. */
function archive(text: string): Buffer {
  const noise = Buffer.concat(
    Array.from({ length: 8000 }, (_, index) => createHash('sha256').update(`${text} ${index}`).digest()),
  );
  return tarGz(file('version.txt', text), file('noise.bin', noise));
}

const one = { body: archive('one'), etag: '"one"' };
const two = { body: archive('two'), etag: '"two"' };

let origin: Origin;
let ground: StagingGround;
beforeEach(async () => {
  origin = await startOrigin();
  ground = new StagingGround();
});
afterEach(() => origin.close());

function startCache(replace?: Record<string, string>): Promise<ArtifactCache> {
  return startArtifactCache(tempDir(), { origin: new URL(origin.url).host, ...(replace && { replace }) });
}

async function versionFrom(url: string, download: object): Promise<string> {
  const { root } = await ground.unpack({ url }, { download: { attempts: 4, ...download } });
  return readFileSync(join(root, 'version.txt'), 'utf8');
}

describe.runIf(requires('nginx'))('behind the cache of the docs, a package', () => {
  it('comes from the origin once, and from the cache from then on', async () => {
    const cache = await startCache();
    const url = origin.serve('/a.tar.gz', one);
    const proxy = cache.url;
    expect(await versionFrom(url, { proxy })).toBe('one');
    expect((await ground.unpack({ url }, { download: { proxy } })).etag).toBe('"one"');
    expect(await ground.fetch({ url, ifNoneMatch: '"one"' }, { download: { proxy } })).toEqual({
      kind: 'not_modified',
    });
    const { status, headers } = await sendRequest(`${cache.url}/a.tar.gz`, {
      method: 'HEAD',
      headers: { host: new URL(origin.url).host },
    });
    expect([status, headers['content-length'], headers.etag]).toEqual([200, String(one.body.length), '"one"']);
    const place = url.replace('http://', '');
    await expect
      .poll(cache.answered)
      .toEqual([`GET ${place} 200 HIT`, `GET ${place} 200 MISS`, `GET ${place} 304 HIT`, `HEAD ${place} 200 HIT`]);
    expect(origin.requests('/a.tar.gz')).toBe(1);
  });

  it('that the origin broke off goes on where it was, whatever the origin makes of ranges', async () => {
    const cache = await startCache();
    const url = origin.serve('/a.tar.gz', { ...one, breakAfter: 100_000 }, one);
    expect(await versionFrom(url, { proxy: cache.url })).toBe('one');
    expect(ground.staged).toHaveLength(1);
    const place = url.replace('http://', '');
    await expect.poll(cache.answered).toEqual([`GET ${place} 200 MISS`, `GET ${place} 206 MISS`]);
    expect(origin.received.map(({ headers }) => headers.range)).toEqual([undefined, undefined]);
  });

  it('that is another one when it is asked for again is taken anew, and whole', async () => {
    const cache = await startCache();
    const url = origin.serve('/a.tar.gz', { ...one, breakAfter: 100_000 }, two);
    expect(await versionFrom(url, { proxy: cache.url })).toBe('two');
    expect(ground.staged).toHaveLength(2);
    const place = url.replace('http://', '');
    await expect.poll(cache.answered).toEqual([`GET ${place} 200 MISS`, `GET ${place} 200 MISS`]);
    expect(origin.requests('/a.tar.gz')).toBe(2);
  });

  it('is looked after at the origin when its time is over, and replaced by a new one of that name', async () => {
    const cache = await startCache({ 'proxy_cache_valid 200 1m;': 'proxy_cache_valid 200 1s;' });
    const url = origin.serve('/a.tar.gz', one);
    const place = url.replace('http://', '');
    const next = () => versionFrom(url, { proxy: cache.url });
    expect(await next()).toBe('one');
    const revalidated = async () => [await next(), cache.answered().includes(`GET ${place} 200 REVALIDATED`)];
    await expect.poll(revalidated).toEqual(['one', true]);
    expect(origin.received.filter(({ headers }) => headers['if-none-match'] !== '"one"')).toHaveLength(1);
    origin.serve('/a.tar.gz', two);
    await expect.poll(next).toBe('two');
    await expect.poll(cache.answered).toContain(`GET ${place} 200 EXPIRED`);
  });

  it('is for whoever has the whole query, and the password, alone; the log has neither', async () => {
    const dir = tempDir();
    const cache = await startArtifactCache(dir, { origin: new URL(origin.url).host });
    const url = origin.serve('/a.tar.gz', one);
    const withPassword = (password: string) => url.replace('http://', `http://ci:${password}@`);
    for (const asked of [`${url}?sig=s3cret-1`, `${url}?sig=s3cret-2`, withPassword('s3cret-3'), withPassword('no')]) {
      expect(await versionFrom(asked, { proxy: cache.url })).toBe('one');
    }
    const place = url.replace('http://', '');
    expect(origin.requests('/a.tar.gz')).toBe(4);
    expect(await versionFrom(`${url}?sig=s3cret-1`, { proxy: cache.url })).toBe('one');
    await expect.poll(cache.answered).toEqual([`GET ${place} 200 HIT`, ...Array(4).fill(`GET ${place} 200 MISS`)]);
    const logs = ['access.log', 'error.log', 'start.log'].map((name) => readFileSync(join(dir, name), 'utf8'));
    expect(logs.join('')).not.toContain('s3cret');
  });

  it('is cached whatever the origin says that is meant for browsers', async () => {
    const cache = await startCache();
    const headers = { 'cache-control': 'no-store, private', expires: '0', 'set-cookie': 'a=b', vary: '*' };
    const url = origin.serve('/a.tar.gz', { ...one, headers });
    for (const _ of [1, 2]) expect(await versionFrom(url, { proxy: cache.url })).toBe('one');
    expect(origin.requests('/a.tar.gz')).toBe(1);
  });

  it('that nobody had the patience for comes all the same, and is not asked for again at the origin', async () => {
    const cache = await startCache();
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const url = origin.serve('/a.tar.gz', { ...one, after: arrived });
    // The first attempt waits for the origin's bytes, the second for those of the first.
    const impatient = { proxy: cache.url, idle_timeout: '300ms', attempts: 2 };
    expect(await ground.refusal({ url }, { download: impatient })).toEqual({
      code: 'DOWNLOAD_CONNECTION',
      params: { origin: origin.url, reason: 'no answer in time', proxy: cache.url },
    });
    arrive();
    expect(await versionFrom(url, { proxy: cache.url })).toBe('one');
    expect(origin.requests('/a.tar.gz')).toBe(1);
  });

  it('that is not there yet is asked for anew, since no failure is kept', async () => {
    const cache = await startCache();
    const url = origin.serve('/a.tar.gz', { status: 404, body: 'no' }, one);
    const proxy = cache.url;
    expect(await ground.refusal({ url }, { download: { proxy } })).toEqual({
      code: 'DOWNLOAD_HTTP_STATUS',
      params: { status: 404, proxy },
    });
    expect(await versionFrom(url, { proxy })).toBe('one');
  });
});

describe.runIf(requires('nginx'))('behind the cache of the docs, what fails', () => {
  /** What a caller reads of it. */
  async function told(url: string, download: object): Promise<string> {
    const { code, params } = await ground.refusal({ url }, { download: { attempts: 2, ...download } });
    return errorText(new DeployError(code, params as never), 'zh');
  }

  it('because the cache is down names it', async () => {
    const cache = await startCache();
    await cache.stop();
    const url = origin.serve('/a.tar.gz', one);
    expect(await told(url, { proxy: cache.url })).toBe(
      `下载文件失败: 无法从 ${origin.url} 读取 (ECONNREFUSED), 经代理 ${cache.url} (download.proxy)`,
    );
    expect(origin.received).toEqual([]);
  });

  it('because the origin is down is a 502 of the cache, asked for again and told with its name', async () => {
    const cache = await startCache();
    const url = origin.serve('/a.tar.gz', one);
    await origin.close();
    expect(await told(url, { proxy: cache.url })).toBe(`下载文件失败: HTTP 502, 经代理 ${cache.url} (download.proxy)`);
    await expect.poll(cache.answered).toHaveLength(2);
  });

  it('because the origin is silent is a 504 of the cache', async () => {
    const cache = await startCache({ 'proxy_read_timeout 60s;': 'proxy_read_timeout 300ms;' });
    const url = origin.serve('/a.tar.gz', { silent: true });
    expect(await told(url, { proxy: cache.url })).toBe(`下载文件失败: HTTP 504, 经代理 ${cache.url} (download.proxy)`);
    expect(origin.requests('/a.tar.gz')).toBe(2);
  });

  it('because the cache does not know the origin says 403, and asks nobody', async () => {
    const cache = await startCache();
    const stranger = await startOrigin();
    try {
      const url = stranger.serve('/a.tar.gz', one);
      expect(await told(url, { proxy: cache.url })).toBe(
        `下载文件失败: HTTP 403, 经代理 ${cache.url} (download.proxy)`,
      );
      expect(stranger.received).toEqual([]);
    } finally {
      await stranger.close();
    }
  });

  it('because nginx opens no tunnels to https origins says so', async () => {
    const cache = await startCache();
    const text = await told('https://artifacts.invalid/a.tar.gz', { proxy: cache.url });
    // 405 in later versions.
    expect(text.replace('HTTP 405', 'HTTP 400')).toBe(
      `下载文件失败: 无法从 https://artifacts.invalid 读取 (the proxy opens no tunnel: HTTP 400), 经代理 ${cache.url} (download.proxy)`,
    );
  });
});
