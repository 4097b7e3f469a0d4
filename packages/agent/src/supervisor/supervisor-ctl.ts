import { DeployError } from '@sampan/shared/errors.ts';
import { type CommandResult, runCommand } from '../host/run-command.ts';
import {
  type Change,
  failureReason,
  type ProgramStatus,
  parseRefusal,
  parseReread,
  parseStatus,
  parseUpdated,
} from './supervisor-answers.ts';

/** supervisorctl answers within 0.2 s; a supervisord that takes this long is stopped or lost. */
const ANSWER_MS = 15_000;

/** What `update` did: the groups it loaded anew, or the words with which supervisor refused to read its configuration. */
export interface Updated {
  loaded: Set<string>;
  refusal: string | undefined;
}

/**
 * supervisorctl, a method a command. What a command says is believed, what it exits with is not.
 * Every method throws SUPERVISOR_UNAVAILABLE when supervisord does not answer, and what the signal was aborted with.
 */
export class SupervisorCtl {
  readonly #argv: readonly string[];

  constructor(argv: readonly string[]) {
    this.#argv = argv;
  }

  /** Every process that supervisord has loaded. */
  async status(signal: AbortSignal): Promise<ProgramStatus[]> {
    const result = await this.#run(['status'], ANSWER_MS, signal);
    const answer = parseStatus(result.stdout);
    // Nothing at all is an answer too: a supervisord without programs.
    if (!answer || (answer.length === 0 && !result.ok)) throw unavailable(result);
    return answer;
  }

  /** Has supervisord read its configuration; it starts and stops nothing. */
  async reread(signal: AbortSignal): Promise<{ changes: Map<string, Change> } | { refusal: string }> {
    const result = await this.#run(['reread'], ANSWER_MS, signal);
    const changes = parseReread(result.stdout);
    if (changes) return { changes };
    const refusal = parseRefusal(result.stdout);
    if (refusal === undefined) throw unavailable(result);
    return { refusal };
  }

  /** Rereads, and loads what is new or changed of these groups. `all` is left out: to supervisorctl it means every group of the host. */
  async update(groups: readonly string[], wait: { timeoutMs: number }, signal: AbortSignal): Promise<Updated> {
    const named = groups.filter((group) => group !== 'all');
    if (named.length === 0) return { loaded: new Set(), refusal: undefined };
    const result = await this.#run(['update', ...named], ANSWER_MS + wait.timeoutMs, signal);
    const refusal = parseRefusal(result.stdout);
    const unfinished = result.exitCode === undefined || result.stdout.includes('error: <class');
    if (refusal === undefined && unfinished) throw unavailable(result);
    return { loaded: parseUpdated(result.stdout), refusal };
  }

  /** Stops and starts; `group:*` is a whole group. @returns what it said, which proves nothing. */
  async restart(selectors: readonly string[], wait: { timeoutMs: number }, signal: AbortSignal): Promise<string> {
    return (await this.#run(['restart', ...selectors], ANSWER_MS + wait.timeoutMs, signal)).stdout;
  }

  /** The pid of supervisord. */
  async pid(signal: AbortSignal): Promise<number> {
    const result = await this.#run(['pid'], ANSWER_MS, signal);
    if (!/^\d+$/.test(result.stdout.trim())) throw unavailable(result);
    return Number(result.stdout);
  }

  /** The end of a process's log; empty where it has none, or one that supervisor cannot send. */
  async tail(
    name: string,
    { stream, bytes }: { stream: 'stdout' | 'stderr'; bytes: number },
    signal: AbortSignal,
  ): Promise<string> {
    const { stdout } = await this.#run(['tail', `-${bytes}`, name, stream], ANSWER_MS, signal);
    return stdout.startsWith('error: <class') || stdout.startsWith(`${name}: ERROR (`) ? '' : stdout;
  }

  #run(words: string[], timeoutMs: number, signal: AbortSignal): Promise<CommandResult> {
    return runCommand({ argv: [...this.#argv, ...words], timeoutMs }, signal);
  }
}

function unavailable(result: CommandResult): DeployError {
  const timedOut = result.ending.startsWith('timed out');
  const said = timedOut ? '' : failureReason(result.output);
  return new DeployError('SUPERVISOR_UNAVAILABLE', { reason: said === '' ? `supervisorctl: ${result.ending}` : said });
}
