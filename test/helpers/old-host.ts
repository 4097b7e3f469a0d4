import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { parse } from 'yaml';
import { tarball } from './archives.ts';

/** The lines of agent.yaml that a README shows for such a host, for one whose files lie below `host` in place of /root. */
export function printedLanguages(page: string, host: string): Record<string, Record<string, unknown>> {
  const text = readFileSync(fileURLToPath(new URL(`../../${page}`, import.meta.url)), 'utf8');
  const block = text.split('```yaml\n').find((part) => part.includes('____post-deploy.sh')) ?? '';
  return parse(block.slice(0, block.indexOf('```')).replaceAll('/root/', `${host}/`)).languages;
}

const RUN = 'exec sleep 100000\n';
const POST_DEPLOY = 'echo "by $(cat version.txt)" > post-deployed\n';

/** What CI builds of the shop today. */
export function packedShop(version: string): Buffer {
  return tarball({ 'run.sh': RUN, 'version.txt': version, '____post-deploy.sh': POST_DEPLOY });
}

/**
 * A host as the SSH service has left it, in `dir`: three projects in one base, archives, timestamped copies, a half-unpacked
 * directory, a bare jar, a log. Its links are absolute, as of a host where all of this lies below `root`.
 */
export function layOutOldHost(dir: string, root = dir): void {
  const deploy = join(dir, 'service/.deploy');
  mkdirSync(deploy, { recursive: true });
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) build(deploy, `shop-${version}`, version);
  unpack(deploy, 'shop-1.1.0');
  cpSync(join(deploy, 'shop-1.1.0'), join(deploy, 'shop-1.1.0_20240301123000'), { recursive: true });
  unpack(deploy, 'shop-1.2.0');
  cpSync(join(deploy, 'shop-1.2.0'), join(deploy, 'shop-1.2.0-20240301123000'), { recursive: true });
  cpSync(join(deploy, 'shop-1.2.0'), join(deploy, 'shop-1.2.020240301123001'), { recursive: true });
  // Somebody has cleaned up; what the link names is all that is left of it.
  rmSync(join(deploy, 'shop-1.2.0.tar.gz'));
  unpackHalf(deploy, 'shop-1.0.0');
  build(deploy, 'cart-5.0', '5.0');
  unpack(deploy, 'cart-5.0');
  for (const jar of ['api-1.jar', 'api-2.jar', 'api-3.jar']) writeFileSync(join(deploy, jar), jarOf(jar));
  truncateSync(join(deploy, 'api-1.jar'), 60);
  const link = (name: string, release: string) =>
    symlinkSync(join(root, 'service/.deploy', release), join(dir, 'service', name));
  link('shop', 'shop-1.2.0');
  link('cart', 'cart-5.0');
  link('api', 'api-3.jar');
  mkdirSync(join(dir, 'log'));
  writeFileSync(join(dir, 'log/info.log'), 'first\nsecond\nthird\n');
}

/** An archive as CI packed it, by GNU tar, with the release as its single directory. */
function build(deploy: string, name: string, version: string): void {
  const source = join(deploy, 'build', name);
  mkdirSync(join(source, 'static'), { recursive: true });
  writeFileSync(join(source, 'run.sh'), RUN);
  writeFileSync(join(source, 'version.txt'), `${version}\n`);
  writeFileSync(join(source, '____post-deploy.sh'), POST_DEPLOY);
  for (const n of [1, 2, 3]) writeFileSync(join(source, `static/${n}.bin`), Buffer.alloc(64 * 1024, n));
  symlinkSync('static/1.bin', join(source, 'latest.bin'));
  const order = [
    'run.sh',
    'version.txt',
    '____post-deploy.sh',
    'latest.bin',
    'static/1.bin',
    'static/2.bin',
    'static/3.bin',
  ];
  const paths = order.map((path) => `${name}/${path}`);
  execFileSync('tar', ['-czf', join(deploy, `${name}.tar.gz`), '-C', join(deploy, 'build'), ...paths]);
  rmSync(join(deploy, 'build'), { recursive: true });
}

/** What the old service did over SSH: unpack beside the archive, then run the script. */
function unpack(deploy: string, name: string): void {
  execFileSync('tar', ['-xzf', join(deploy, `${name}.tar.gz`), '-C', deploy]);
  execFileSync('sh', ['./____post-deploy.sh'], { cwd: join(deploy, name) });
}

/** The connection broke while tar was at the second of the large files. */
function unpackHalf(deploy: string, name: string): void {
  const bytes = execFileSync('gzip', ['-dc', join(deploy, `${name}.tar.gz`)], { maxBuffer: 1 << 24 });
  const headers = 6 * 512 + 3 * 512;
  const whole = bytes.subarray(0, headers + 64 * 1024 + 50 * 1024);
  if (spawnSync('tar', ['-xf', '-', '-C', deploy], { input: whole }).status === 0)
    throw new Error('tar took it for whole');
}

/** A zip of one entry, by hand: local header, content, directory, end. */
function jarOf(name: string): Buffer {
  const content = deflateRawSync(Buffer.from(`the classes of ${name}`.repeat(20)));
  const entryName = Buffer.from('Main.class');
  const local = Buffer.alloc(30);
  local.write('PK\x03\x04', 'latin1');
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(content.length, 18);
  local.writeUInt16LE(entryName.length, 26);
  const central = Buffer.alloc(46);
  central.write('PK\x01\x02', 'latin1');
  central.writeUInt32LE(content.length, 20);
  central.writeUInt16LE(entryName.length, 28);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt32LE(central.length + entryName.length, 12);
  end.writeUInt32LE(local.length + entryName.length + content.length, 16);
  return Buffer.concat([local, entryName, content, central, entryName, end]);
}

/** The supervisor config of such a host, as people wrote it for the old service: one file, groups, commands that run through the links. */
export function oldPrograms(root: string): string {
  const base = join(root, 'service');
  const through = (link: string) => `command=sh ${base}/${link}/run.sh\ndirectory=${base}/${link}\nautorestart=false\n`;
  return `[group:shop]
programs=shop-web,shop-worker
[program:shop-web]
${through('shop')}
[program:shop-worker]
${through('shop')}
[group:cart]
programs=cart-queue
[program:cart-queue]
${through('cart')}
[program:api]
command=tail -f ${base}/api
`;
}
