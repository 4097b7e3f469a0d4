import { DeployError } from '@sampan/shared/errors.ts';
import type { AgentConnection } from './agents/agent-connection.ts';
import { AgentLoss } from './agents/agent-loss.ts';
import type { Fleet } from './fleet.ts';
import { type Outcome, type Outcomes, outcomeCode, outcomeOf } from './outcomes.ts';
import type { Host } from './rollout/rollout-plan.ts';
import { Slots, Turn } from './slots.ts';

/**
 * Calls that are begun at one time. They are work for this one thread: of 200, none was done sooner than of 64, what they hold in
 * memory grew old before it was done with, and 2,000 answers took a sixth longer (npm run bench:fleet).
 */
const BEGUN_AT_ONCE = 64;
/** What takes longer waits for the other side, and another may begin. */
const BEGUN_HELD_MS = 50;

/** A question to many hosts. It may be asked twice of one, so it must be safe to repeat. */
export interface Question<T> {
  operation: string;
  hosts: readonly Host[];
  ask(connection: AgentConnection, signal: AbortSignal): Promise<T>;
  /** Called with what each host came to, as soon as it has. Without it, those that failed are logged. */
  onOutcome?(host: Host, outcome: Outcome<T>): void;
}

/** Asks all hosts, `maxParallel` at a time. Never throws: every host has its outcome. */
export async function askHosts<T>(fleet: Fleet, question: Question<T>, signal: AbortSignal): Promise<Outcomes<T>> {
  const places = { slots: new Slots(fleet.limits.maxParallel), beginning: new Slots(BEGUN_AT_ONCE) };
  const askOne = async (host: Host) => {
    const outcome = await outcomeOf(askInTurn(fleet, { question, host }, { ...places, signal }));
    fleet.metrics.hostFinished({ operation: question.operation, code: outcomeCode(outcome) });
    if (question.onOutcome) question.onOutcome(host, outcome);
    else if (!outcome.ok) logFailure(fleet, { question, host }, outcome.error);
    return [host.name, outcome] as const;
  };
  return new Map(await Promise.all(question.hosts.map(askOne)));
}

function logFailure(fleet: Fleet, { question, host }: Asked<unknown>, error: DeployError): void {
  fleet.log.warn({ operation: question.operation, host: host.name, code: error.code, err: error }, 'host failed');
}

/** Connected first: a host that is not there takes no place from those that are. */
async function askInTurn<T>(
  fleet: Fleet,
  asked: Asked<T>,
  { slots, beginning, signal }: { slots: Slots; beginning: Slots; signal: AbortSignal },
): Promise<T> {
  await fleet.agents.connect(asked.host.address, signal);
  const turn = new Turn(beginning, signal);
  return await slots.run(async () => {
    try {
      await turn.begin(BEGUN_HELD_MS);
      return await askTwice(fleet, asked, signal);
    } finally {
      turn.end();
    }
  }, signal);
}

interface Asked<T> {
  question: Question<T>;
  host: Host;
}

/** Once more over a new connection, when the one at hand turns out to be broken. */
async function askTwice<T>(fleet: Fleet, asked: Asked<T>, signal: AbortSignal): Promise<T> {
  try {
    return await askOnce(fleet, asked, signal);
  } catch (error) {
    if (!(error instanceof AgentLoss)) throw error;
    return await askOnce(fleet, asked, signal).catch((again: unknown) => {
      if (!(again instanceof AgentLoss)) throw again;
      throw new DeployError('AGENT_UNREACHABLE', { reason: again.reason }, { cause: again });
    });
  }
}

async function askOnce<T>(fleet: Fleet, { question, host }: Asked<T>, signal: AbortSignal): Promise<T> {
  return await question.ask(await fleet.agents.connect(host.address, signal), signal);
}
