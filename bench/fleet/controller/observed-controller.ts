import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CONTROLLER_START } from '../../../packaging/program-start.ts';
import { startProgram } from '../../processes/start-program.ts';
import type { HostTimes } from './host-times.ts';

const OBSERVER = fileURLToPath(new URL('./host-times.ts', import.meta.url));
const LOOK_EVERY_MS = 25;

/** A controller that serves, in a process of its own, and what can be seen of it from outside. */
export interface ObservedController extends AsyncDisposable {
  url: string;
  /** Watches it while `work` goes on, which makes it slower; resolves with how it met each agent. */
  watch(work: () => Promise<unknown>): Promise<HostTimes[]>;
  /** RSS in MiB, now and at the most so far. */
  memory(): { rssMib: number; peakMib: number };
  openFiles(): number;
  /** Runs `work`; resolves with the most open files that were seen meanwhile. */
  mostOpenFiles(work: () => Promise<unknown>): Promise<number>;
}

/** Starts the bundled controller `program` as it is shipped, with the configuration `config`. */
export async function startObservedController(
  program: string,
  { config, dir }: { config: string; dir: string },
): Promise<ObservedController> {
  const { flags, env } = CONTROLLER_START;
  const args = [...flags, '--import', OBSERVER, program, '--config', config];
  const running = await startProgram(args, { ready: 'listening', cwd: dir, env, answers: true });
  const openFiles = () => readdirSync(`/proc/${running.pid}/fd`).length;
  return {
    url: String(running.readyLine.url),
    async watch(work) {
      await running.ask('watch');
      await work();
      return (await running.ask('times')) as HostTimes[];
    },
    memory: () => {
      const status = readFileSync(`/proc/${running.pid}/status`, 'utf8');
      return { rssMib: mebibytes(status, 'VmRSS'), peakMib: mebibytes(status, 'VmHWM') };
    },
    openFiles,
    async mostOpenFiles(work) {
      let most = openFiles();
      const look = setInterval(() => {
        most = Math.max(most, openFiles());
      }, LOOK_EVERY_MS);
      try {
        await work();
        return Math.max(most, openFiles());
      } finally {
        clearInterval(look);
      }
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** The kernel says kB and means 1,024 bytes. */
function mebibytes(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
}
