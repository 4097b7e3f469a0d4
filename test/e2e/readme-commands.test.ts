import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { fencedBlocks, printedCommands } from '../helpers/printed-commands.ts';
import { requires } from '../helpers/requires.ts';
import { keptTempDir } from '../helpers/temp-dir.ts';
import { systemRequirements } from '../setup/system-requirements.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = ['README.md', 'README.zh-CN.md', 'CONTRIBUTING.md'];

/** How a command that we print is proven to work as printed. */
type Proof =
  /** Run here, in a clean copy with an empty HOME; it ends with status 0. `as`: in the quicker form that proves the same. */
  | { runs: 'to its end'; as?: string; timeoutMs?: number }
  /** Started here, in the same place; it prints this, and after Ctrl-C its last words. */
  | {
      runs: 'until Ctrl-C';
      printing: RegExp;
      lastWords: RegExp;
      files?: (dir: string) => Record<string, string>;
      timeoutMs?: number;
    }
  /** It is the first half of a command that is run here. */
  | { partOf: string }
  /** Another file proves it. */
  | { provenBy: string };

/** In the order in which they are run: the first installs for all. */
const proofs: Record<string, Proof> = {
  'npm ci && npm run demo': { runs: 'to its end', timeoutMs: 180_000 },
  'npm ci': { partOf: 'npm ci && npm run demo' },
  'npm run demo -- --keep': { provenBy: 'test/e2e/demo.test.ts' },
  'npm ci && npm test': { provenBy: '.ci/run' },
  'npm test': { provenBy: '.ci/run' },
  'npx vitest run test/unit/agent/logs': { runs: 'to its end' },
  'npx biome check --write .': { runs: 'to its end' },
  'npm run generate': { runs: 'to its end' },
  'npm run check': { provenBy: '.ci/run' },
  'npm run test:faults': { provenBy: 'test/faults/vitest.config.ts' },
  'npm run test:installed': { provenBy: '.ci/run' },
  'npx sampan-agent': {
    runs: 'until Ctrl-C',
    printing: /"msg":"agent is ready"/,
    lastWords: /"msg":"agent has stopped"}\s*$/,
  },
  'npx sampan-controller': { runs: 'until Ctrl-C', printing: /"msg":"listening"/, lastWords: /"msg":"stopped"}\s*$/ },
  'npx sampan-agent --config agent.yaml': {
    runs: 'until Ctrl-C',
    files: (dir) => ({
      'agent.yaml': `listen: 127.0.0.1:7420\nhealth_listen: 127.0.0.1:7421\nstate_dir: ${dir}/agent-state\n`,
    }),
    printing: /"grpcPort":7420,.*"msg":"agent is ready"/,
    lastWords: /"msg":"agent has stopped"}\s*$/,
  },
  'npx sampan-controller --config controller.yaml': {
    runs: 'until Ctrl-C',
    files: () => ({ 'controller.yaml': 'listen: 127.0.0.1:8090\ndatabase: sqlite:controller-state/sampan.db\n' }),
    printing: /"url":"http:\/\/127\.0\.0\.1:8090".*"msg":"listening"/,
    lastWords: /"msg":"stopped"}\s*$/,
  },
  'npm run bench': { provenBy: 'test/e2e/bench-smoke.test.ts' },
};

/** Packages that this machine has downloaded before are not downloaded once more. */
const npmCache = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim();

const printed = new Map(pages.filter((page) => existsSync(join(root, page))).map((page) => [page, readText(page)]));
const commands = [...new Set([...printed.values()].flatMap(printedCommands))];

it('every page is there, and only fenced `sh` blocks hold commands', () => {
  expect([...printed.keys()]).toEqual(pages);
  for (const page of printed.values()) {
    for (const other of ['bash', 'shell', 'console', 'zsh']) expect(fencedBlocks(page, other)).toEqual([]);
  }
});

it('every command that we print is proven, and nothing is proven that we do not print', () => {
  expect(commands.sort()).toEqual(Object.keys(proofs).sort());
});

it('what is proven elsewhere is proven by what is there', () => {
  for (const [command, proof] of Object.entries(proofs)) {
    if ('provenBy' in proof) expect(existsSync(join(root, proof.provenBy)), proof.provenBy).toBe(true);
    if (!('partOf' in proof)) continue;
    expect(proof.partOf.startsWith(`${command} && `)).toBe(true);
    expect(proofs[proof.partOf]).toHaveProperty('runs');
  }
});

it('CI installs as a newcomer does and runs what the README says', () => {
  expect(readText('.ci/run')).toMatch(/^step npm ci\nstep npm run check$/m);
  expect(JSON.parse(readText('package.json')).scripts.check).toMatch(/ && npm test$/);
});

describe.runIf(requires('git'))('in a clean copy with an empty HOME', () => {
  let copy = '';
  let home = '';

  beforeAll(() => {
    copy = keptTempDir();
    home = join(copy, '..', `${basename(copy)} home of a newcomer`);
    mkdirSync(home);
    const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
    execFileSync('git', ['init', '--quiet', copy]);
    const present = (name: string) => name !== '' && existsSync(join(root, name));
    for (const file of files.toString().split('\0').filter(present)) cpSync(join(root, file), join(copy, file));
  });

  afterAll(async () => {
    await rm(copy, { recursive: true, force: true });
    await rm(home, { recursive: true, force: true });
  });

  for (const [command, proof] of Object.entries(proofs)) {
    if (!('runs' in proof)) continue;
    it(`${command} runs ${proof.runs}`, { timeout: proof.timeoutMs ?? 60_000 }, async () => {
      if (proof.runs === 'to its end') {
        const { status, output } = await ended(start(proof.as ?? command));
        expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' });
      } else {
        for (const [name, content] of Object.entries(proof.files?.(copy) ?? {}))
          writeFileSync(join(copy, name), content);
        const child = start(command, ownNetwork());
        const { output } = await ended(child, (text) => {
          if (proof.printing.test(text)) interrupt(child);
        });
        expect(output).toMatch(proof.lastWords);
      }
    });
  }

  /** As a person's shell would: with the Node that this machine has, not the one that runs the tests. */
  function start(command: string, ownNetwork: string[] = []): ChildProcess {
    const path = (process.env.PATH ?? '').split(':').filter((entry) => !entry.includes('node_modules'));
    const [file = '', ...args] = [...ownNetwork, 'sh', '-c', command];
    const child = spawn(file, args, {
      cwd: copy,
      env: { ...networkSettings(), PATH: path.join(':'), HOME: home, npm_config_cache: npmCache },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    onTestFinished(() => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-Number(child.pid), 'SIGKILL');
    });
    return child;
  }
});

/** Our default ports may be taken on this machine. Where it allows that, a program gets a loopback of its own. */
function ownNetwork(): string[] {
  if (!systemRequirements['network namespaces'].isMet() || !systemRequirements.ip.isMet()) return [];
  return ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
}

/** Waits for the end; `onOutput` sees all that was printed so far, each time that more comes. */
async function ended(child: ChildProcess, onOutput: (text: string) => void = () => undefined) {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onOutput(output);
    });
  }
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output };
}

const interrupted = new WeakSet<ChildProcess>();

/** What Ctrl-C does: SIGINT, once, to the whole foreground process group. */
function interrupt(child: ChildProcess): void {
  if (interrupted.has(child)) return;
  interrupted.add(child);
  process.kill(-Number(child.pid), 'SIGINT');
}

/** Whatever this machine needs to reach its package registry: certificates and proxies. */
function networkSettings(): NodeJS.ProcessEnv {
  const names = /^(NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|(HTTPS?|NO|ALL)_PROXY|npm_config_registry)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => names.test(name)));
}

function readText(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
