import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, globSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

/** Something that a test needs and npm cannot bring. */
interface SystemRequirement {
  isMet: () => boolean;
  /** The packages of Debian and Ubuntu that bring it; none where no package can. */
  packages: readonly string[];
}

/** A daemon is found though its directory is not in an ordinary user's PATH. */
const directories = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of a program by its name, or by a pattern such as `php-fpm*`; undefined when this machine has none. */
export function programPath(name: string): string | undefined {
  return directories.flatMap((directory) => globSync(join(directory, name))).find(isExecutable);
}

/** The library that gives a process a clock of its own; undefined when this machine has none. */
export function fakeTimeLibrary(): string | undefined {
  return globSync('/usr/lib/*/faketime/libfaketime.so.1')[0];
}

/** All that tests may name in `requires(…)`. */
export const systemRequirements = {
  root: { isMet: () => process.getuid?.() === 0, packages: [] },
  curl: program('curl', 'curl'),
  git: program('git', 'git'),
  npm: program('npm', 'npm'),
  /** Debian's or Ubuntu's archive, for real packages to deploy. */
  'apt-get': program('apt-get', 'apt'),
  'GNU tar': { isMet: () => succeeds('tar', '--version', /GNU tar/), packages: ['tar'] },
  xz: program('xz', 'xz-utils'),
  sshd: program('sshd', 'openssh-server'),
  ssh: program('ssh', 'openssh-client'),
  wget: program('wget', 'wget'),
  'ansible-playbook': program('ansible-playbook', 'ansible-core'),
  /** Of the system's own Python. */
  paramiko: { isMet: () => existsSync('/usr/lib/python3/dist-packages/paramiko'), packages: ['python3-paramiko'] },
  supervisord: program('supervisord', 'supervisor'),
  nginx: program('nginx', 'nginx'),
  prometheus: program('prometheus', 'prometheus'),
  'php-fpm': program('php-fpm*', 'php-fpm'),
  java: program('java', 'default-jre-headless'),
  strace: program('strace', 'strace'),
  nft: program('nft', 'nftables'),
  nsenter: program('nsenter', 'util-linux'),
  prlimit: program('prlimit', 'util-linux'),
  'mkfs.ext4': program('mkfs.ext4', 'e2fsprogs'),
  patchelf: program('patchelf', 'patchelf'),
  libatomic: { isMet: () => existsSync('/usr/lib/x86_64-linux-gnu/libatomic.so.1'), packages: ['libatomic1'] },
  debootstrap: program('debootstrap', 'debootstrap'),
  'systemd-nspawn': program('systemd-nspawn', 'systemd-container'),
  'systemd-analyze': program('systemd-analyze', 'systemd'),
  libfaketime: { isMet: () => fakeTimeLibrary() !== undefined, packages: ['libfaketime'] },
  /** File systems in user space, as a program of ours serves one. */
  FUSE: { isMet: () => existsSync('/dev/fuse'), packages: [] },
  ip: program('ip', 'iproute2'),
  postgresql: { isMet: () => globSync('/usr/lib/postgresql/*/bin/initdb').length > 0, packages: ['postgresql'] },
  pgbouncer: program('pgbouncer', 'pgbouncer'),
  /** `::1`, which some containers lack. */
  IPv6: {
    isMet: () => Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1')),
    packages: [],
  },
  /** A network of its own: `unshare --net`. Containers without CAP_SYS_ADMIN have none. */
  'network namespaces': { isMet: () => succeeds('unshare', '--net true'), packages: [] },
  /** File systems of its own: `mount`. Needs CAP_SYS_ADMIN too. */
  mounts: { isMet: () => succeeds('unshare', '--mount true'), packages: [] },
} satisfies Record<string, SystemRequirement>;

export type Requirement = keyof typeof systemRequirements;

function program(name: string, debianPackage: string): SystemRequirement {
  return { isMet: () => programPath(name) !== undefined, packages: [debianPackage] };
}

function succeeds(file: string, args: string, expected = /(?:)/): boolean {
  const ended = spawnSync(file, args.split(' '), { encoding: 'utf8', timeout: 10_000 });
  return ended.status === 0 && expected.test(ended.stdout);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
