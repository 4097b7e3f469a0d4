import { type Attempt, attempt, named, outcomeOf, violations } from './attempt.ts';
import { leftovers, untilNone } from './invariants.ts';
import type { Prepared, Sequence } from './sequences.ts';
import { type Call, callsIn, failAt, isHeld, killAfter, killAt, ORDERED_CALLS, type Tracing, trace } from './strace.ts';
import type { World } from './world.ts';

/** What came of one point: what its caller was told, and what was violated. */
export interface PointResult {
  point: string;
  outcome: string;
  faults: string[];
}

/** What is done to the agent at a call, and how it ends. */
interface Blow {
  label: string;
  strike(pid: number, call: Call): Promise<Tracing>;
  /** Whether the agent is dead afterwards and comes back. */
  kills: boolean;
  /** What may be told, beside what is told where nothing is wrong. */
  tells?: (told: string, call: Call) => boolean;
}

/** Kills the agent before each of the calls of a sequence in turn, then after each, and lets it come back at once. */
export function killAtEachCall(sequence: Sequence): Promise<PointResult[]> {
  const before: Blow = { label: 'before', strike: killAt, kills: true };
  const after: Blow = { label: 'after', strike: killAfter, kills: true };
  return atEachCall(sequence, [before, after], () => true);
}

/** Lets each of the calls fail in turn, the agent living on. */
export function failAtEachCall(
  sequence: Sequence,
  error: string,
  { calls, tells }: { calls: (call: Call) => boolean; tells: NonNullable<Blow['tells']> },
): Promise<PointResult[]> {
  return atEachCall(
    sequence,
    [{ label: error, strike: (pid, call) => failAt(pid, call, error), kills: false, tells }],
    calls,
  );
}

/** The ordered calls that a sequence makes, from its request until nothing goes on any more. */
export async function callsOf(sequence: Sequence): Promise<Call[]> {
  const world = await sequence.open();
  try {
    const { made, options, settled } = await sequence.prepare(world);
    await untilNone(() => leftovers(world.base));
    const { pid } = world.agent;
    const tracing = await trace(pid, ORDERED_CALLS);
    const tried = await attempt(world, made, options);
    await settled();
    await untilNone(() => leftovers(world.base));
    const calls = callsIn(pid, await tracing.detach());
    return calls.map((call) => ({ ...call, text: named(world, tried, call.text) }));
  } finally {
    await world.close();
  }
}

async function atEachCall(
  sequence: Sequence,
  blows: readonly Blow[],
  wanted: (call: Call) => boolean,
): Promise<PointResult[]> {
  const results: PointResult[] = [];
  let world: World | undefined;
  const calls = sequence.points(await callsOf(sequence)).filter(wanted);
  try {
    for (const { call, blow } of calls.flatMap((call) => blows.map((blow) => ({ call, blow })))) {
      world ??= await sequence.open();
      const result = await atCall(world, { sequence, call, blow });
      results.push(result);
      if (!sequence.once && result.faults.length === 0) continue;
      await world.close();
      world = undefined;
    }
    return results;
  } finally {
    await world?.close();
  }
}

async function atCall(
  world: World,
  { sequence, call, blow }: { sequence: Sequence; call: Call; blow: Blow },
): Promise<PointResult> {
  const prepared = await sequence.prepare(world);
  await untilNone(() => leftovers(world.base));
  const tracing = await blow.strike(world.agent.pid, call);
  const tried = await attempt(world, prepared.made, {
    ...prepared.options,
    during: (answered) => untilStruck({ world, tracing, blow, prepared }, answered),
  });
  const lines = await tracing.detach();
  const told = outcomeOf(world, tried);
  const faults = await violations(world, tried, {
    ...(prepared.mend ? { mend: prepared.mend } : {}),
    // What the disk refused to remove is removed at the next start.
    sweptAtStart: !blow.kills && /^(unlink|rmdir)/.test(call.name),
  });
  if (!wasStruck(blow, lines)) faults.push('the call was not made');
  if (told !== sequence.told && !blow.tells?.(told, call)) faults.push(`the caller was told: ${told}`);
  return { point: `${blow.label} ${call.text}`, outcome: told, faults };
}

interface Struck {
  world: World;
  tracing: Tracing;
  blow: Blow;
  prepared: Prepared;
}

async function untilStruck(
  { world, tracing, blow, prepared }: Struck,
  answered: Promise<Attempt['answer']>,
): Promise<void> {
  const quiet = answered.then(prepared.settled).then(() => untilNone(() => leftovers(world.base)));
  if (!blow.kills) {
    await quiet;
    return;
  }
  const isDead = await Promise.race([tracing.ended.then(() => true), quiet.then(() => false)]);
  if (isDead) await world.restartAgent();
}

function wasStruck({ kills }: Blow, lines: readonly string[]): boolean {
  return lines.some((line) =>
    kills ? line.includes('killed by SIGKILL') || isHeld(line) : line.includes('(INJECTED)'),
  );
}
