import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** What the figures were measured on. */
export interface Machine {
  cores: number;
  cpu: string;
  memoryGib: number;
  kernel: string;
  node: string;
  curl: string;
  tar: string;
  /** Type and mount options of the file system that is worked on. */
  filesystem: string;
}

export function describeMachine(filesystem: string): Machine {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    curl: firstLine('curl').replace(/ \(.*/, ''),
    tar: firstLine('tar'),
    filesystem,
  };
}

/** What must be there to compare with. Names what is missing, or is another tar than GNU's. */
export function missingPrograms(): string[] {
  const missing = ['curl', 'tar', 'tail', 'sync'].filter((name) => firstLine(name) === '');
  if (!missing.includes('tar') && !firstLine('tar').includes('GNU tar')) missing.push('GNU tar');
  return missing;
}

/** The file system that `dir` lies on, as the kernel describes it: `ext4 rw,relatime`. */
export function filesystemOf(dir: string): string {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n').map(parseMount);
  const holding = mounts.filter(({ at }) => at === '/' || dir === at || dir.startsWith(`${at}/`));
  // Of two mounts at one place the later hides the earlier.
  const nearest = holding.reduce((best, mount) => (mount.at.length >= best.at.length ? mount : best), {
    at: '',
    is: 'unknown',
  });
  return nearest.is;
}

function parseMount(line: string): { at: string; is: string } {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , , at = '', options = ''] = before.split(' ');
  const [type = '', , superOptions = ''] = after.split(' ');
  return { at: at.replaceAll('\\040', ' '), is: `${type} ${[...new Set([options, superOptions])].join(' ')}` };
}

function firstLine(program: string): string {
  try {
    return (
      execFileSync(program, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ??
      ''
    );
  } catch {
    return '';
  }
}
