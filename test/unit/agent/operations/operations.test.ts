import { appendFileSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { createMetrics } from '@sampan/agent/metrics.ts';
import { Journal } from '@sampan/agent/operations/journal.ts';
import type { OperationContext } from '@sampan/agent/operations/operation-context.ts';
import { Operations, type Order } from '@sampan/agent/operations/operations.ts';
import { DeployError } from '@sampan/shared/errors.ts';
import { describe, expect, it } from 'vitest';
import { openBelow } from '../../../helpers/open-descriptors.ts';
import { silentLog } from '../../../helpers/silent-log.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const target = { projectName: 'shop', linkName: 'web', language: 'php', deployDir: '' } as const;
const staged = {
  kind: 'staged',
  result: { release: 'web-1', version: 'web-1', sha256: 'ab', bytes: 1, entries: 1, reused: false },
} as const;

function order(more: Partial<Order> = {}): Order {
  return {
    operationId: 'op1',
    phase: 'stage',
    request: 'r',
    target,
    oldTarget: async () => null,
    brings: 'web-1',
    deadlineMs: 60_000,
    ...more,
  };
}

async function open(stateDir: string): Promise<Operations> {
  return Operations.open(await Journal.open(stateDir), { log: silentLog, metrics: createMetrics(() => 0) });
}

const nothing = () => undefined;

async function outcome(run: Awaited<ReturnType<Operations['start']>>) {
  for await (const progress of run.watch(new AbortController().signal)) void progress;
  return run.outcome;
}

describe('operations', () => {
  it('runs a phase once for callers that come while it runs, and gives the outcome to those that come later', async () => {
    const operations = await open(tempDir());
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const work = async () => {
      runs += 1;
      await gate.promise;
      return staged;
    };
    const first = await operations.start(order(), nothing, work);
    const second = await operations.start(order(), nothing, work);
    expect(second).toBe(first);
    gate.resolve();
    expect(await outcome(first)).toEqual(staged);
    expect(await outcome(await operations.start(order(), nothing, work))).toEqual(staged);
    expect(runs).toBe(1);
  });

  it('writes the intent down before the work begins, and the outcome before it is told', async () => {
    const stateDir = tempDir();
    const operations = await open(stateDir);
    const events = () =>
      readFileSync(join(stateDir, 'operations/op1.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { event: string }).event);
    let atWork: string[] = [];
    const run = await operations.start(order(), nothing, async () => {
      atWork = events();
      return staged;
    });
    await outcome(run);
    expect(atWork).toEqual(['started']);
    expect(events()).toEqual(['started', 'finished']);
  });

  it('gives the outcome of staging again while the activation runs, and does not stage during it', async () => {
    const operations = await open(tempDir());
    await outcome(await operations.start(order(), nothing, async () => staged));
    const gate = Promise.withResolvers<void>();
    const activation = await operations.start(order({ phase: 'activate' }), nothing, async () => {
      await gate.promise;
      return staged;
    });
    const again = await operations.start(order(), nothing, () => Promise.reject(new Error('staged again')));
    expect(await outcome(again)).toEqual(staged);
    gate.resolve();
    await outcome(activation);
  });

  it('keeps an outcome over a restart', async () => {
    const stateDir = tempDir();
    await outcome(await (await open(stateDir)).start(order(), nothing, async () => staged));
    const reopened = await open(stateDir);
    const run = await reopened.start(order(), nothing, () => Promise.reject(new Error('ran again')));
    expect(await outcome(run)).toEqual(staged);
  });

  it('keeps the order in which they came, whatever the clock said of them', async () => {
    const stateDir = tempDir();
    const operations = await open(stateDir);
    for (const operationId of ['op1', 'op2', 'op3']) {
      await outcome(await operations.start(order({ operationId }), nothing, async () => staged));
    }
    ['op1', 'op2', 'op3'].forEach((operationId, n) => {
      utimesSync(join(stateDir, 'operations', `${operationId}.jsonl`), 1_600_000_000, 1_600_000_000 - n);
    });
    const later = await open(stateDir);
    expect([...later.all().keys()]).toEqual(['op1', 'op2', 'op3']);
    await outcome(await later.start(order({ operationId: 'op1', phase: 'activate' }), nothing, async () => staged));
    expect([...later.all().keys()]).toEqual(['op2', 'op3', 'op1']);
    expect([...(await open(stateDir)).all().keys()]).toEqual(['op2', 'op3', 'op1']);
  });

  it('forgets the oldest once there are very many, but none that runs or flipped a link last, though the clock was set back meanwhile', async () => {
    const stateDir = tempDir();
    const operations = await open(stateDir);
    const gate = Promise.withResolvers<void>();
    const slow = await operations.start(order({ operationId: 'slow' }), nothing, async () => {
      await gate.promise;
      return staged;
    });
    const flips = async (context: OperationContext) => {
      await context.record({ event: 'flipping', from: '.deploy/web-0', to: '.deploy/web-1' });
      return staged;
    };
    await outcome(await operations.start(order({ operationId: 'flipped' }), nothing, flips));
    for (let n = 1; n <= 1099; n += 1) {
      await outcome(await operations.start(order({ operationId: `op${n}` }), nothing, async () => staged));
      utimesSync(join(stateDir, 'operations', `op${n}.jsonl`), 1_600_000_000 - n, 1_600_000_000 - n);
    }
    const known = Array.from({ length: 998 }, (_, n) => `op${n + 102}`);
    await expect.poll(() => [...operations.all().keys()]).toEqual(['slow', 'flipped', ...known]);
    expect(readdirSync(join(stateDir, 'operations'))).toHaveLength(1000);
    gate.resolve();
    expect(await outcome(slow)).toEqual(staged);
    expect((await open(stateDir)).find('slow')?.records.map(({ event }) => event)).toEqual(['started', 'finished']);
  });

  it('marks what was open as interrupted and gives it one more attempt, even after a line that a crash cut', async () => {
    const stateDir = tempDir();
    const operations = await open(stateDir);
    // Never ends: as if the process had died in it.
    await operations.start(order(), nothing, async (context: OperationContext) => {
      await context.record({ event: 'staging', stagingDir: '/s', pid: 1, pidStartTime: '2' });
      appendFileSync(join(stateDir, 'operations/op1.jsonl'), '{"event":"finis');
      return new Promise(() => undefined);
    });
    await expect.poll(() => readFileSync(join(stateDir, 'operations/op1.jsonl'), 'utf8')).toContain('finis');
    const reopened = await open(stateDir);
    const seen: string[] = [];
    const run = await reopened.start(order(), nothing, async ({ history }) => {
      seen.push(...history.map(({ event }) => event));
      return staged;
    });
    expect(await outcome(run)).toEqual(staged);
    expect(seen).toEqual(['started', 'staging', 'interrupted']);
    const third = await open(stateDir);
    expect(third.find('op1')?.records.map(({ event }) => event)).toEqual([
      'started',
      'staging',
      'interrupted',
      'started',
      'finished',
    ]);
  });

  it('refuses the same id for another request', async () => {
    const operations = await open(tempDir());
    await outcome(await operations.start(order(), nothing, async () => staged));
    await expect(operations.start(order({ request: 'other' }), nothing, async () => staged)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      params: { field: 'operation_id', found: 'op1 for another request', expected: 'a new id' },
    });
  });

  it('cancels what has not decided to flip, and is too late afterwards', async () => {
    const operations = await open(tempDir());
    const early = await operations.start(order(), nothing, ({ signal }) => untilAborted(signal));
    expect(await operations.cancel('op1')).toBe('cancelled');
    expect(await outcome(early)).toEqual({ kind: 'failed', error: { code: 'OPERATION_CANCELLED', params: {} } });
    const decided = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const late = await operations.start(order({ operationId: 'op2', phase: 'activate' }), nothing, async (context) => {
      context.decideFlip();
      decided.resolve();
      await gate.promise;
      return staged;
    });
    await decided.promise;
    expect(await operations.cancel('op2')).toBe('too_late');
    gate.resolve();
    expect(await outcome(late)).toEqual(staged);
    expect(await operations.cancel('op2')).toBe('finished');
    await expect(operations.cancel('op3')).rejects.toEqual(
      new DeployError('OPERATION_UNKNOWN', { operationId: 'op3' }),
    );
  });

  it('refuses to activate what was cancelled while it waited, also after a restart', async () => {
    const stateDir = tempDir();
    const operations = await open(stateDir);
    await outcome(await operations.start(order(), nothing, async () => staged));
    expect(await operations.cancel('op1')).toBe('cancelled');
    for (const life of [operations, await open(stateDir)]) {
      const run = await life.start(order({ phase: 'activate' }), nothing, () => Promise.reject(new Error('ran')));
      expect(await outcome(run)).toEqual({ kind: 'failed', error: { code: 'OPERATION_CANCELLED', params: {} } });
    }
  });

  it('does not flip what was cancelled a moment before', async () => {
    const operations = await open(tempDir());
    const gate = Promise.withResolvers<void>();
    const run = await operations.start(order(), nothing, async (context) => {
      await gate.promise;
      context.decideFlip();
      return staged;
    });
    await operations.cancel('op1');
    gate.resolve();
    expect(await outcome(run)).toEqual({ kind: 'failed', error: { code: 'OPERATION_CANCELLED', params: {} } });
  });

  it('ends an operation at its deadline, with the deadline as the reason', async () => {
    const operations = await open(tempDir());
    const run = await operations.start(order({ deadlineMs: 20 }), nothing, ({ signal }) => untilAborted(signal));
    expect(await outcome(run)).toEqual({
      kind: 'failed',
      error: { code: 'DEADLINE_EXCEEDED', params: { seconds: 0.02 } },
    });
  });

  it('drains: cancels what has not flipped, finishes what has, refuses what comes', async () => {
    const operations = await open(tempDir());
    const waiting = await operations.start(order(), nothing, ({ signal }) => untilAborted(signal));
    const gate = Promise.withResolvers<void>();
    const flipped = await operations.start(order({ operationId: 'op2' }), nothing, async (context) => {
      context.decideFlip();
      await gate.promise;
      return staged;
    });
    await expect.poll(() => flipped.flipDecided).toBe(true);
    const drained = operations.drain();
    await expect(operations.start(order({ operationId: 'op3' }), nothing, async () => staged)).rejects.toMatchObject({
      code: 'AGENT_DRAINING',
    });
    gate.resolve();
    await drained;
    expect(waiting.outcome).toEqual({ kind: 'failed', error: { code: 'AGENT_DRAINING', params: {} } });
    // As after a crash, whoever asks the next life of the agent gets one more attempt.
    expect(operations.find('op1')?.records.map(({ event }) => event)).toEqual(['started', 'interrupted']);
    expect(flipped.outcome).toEqual(staged);
  });

  it('leaves no trace of an order that was refused before it began', async () => {
    const operations = await open(tempDir());
    const refuse = () => {
      throw new DeployError('LINK_HELD', { project: 'a', release: 'b', operationId: 'c', since: 'd' });
    };
    await expect(operations.start(order(), refuse, async () => staged)).rejects.toMatchObject({ code: 'LINK_HELD' });
    expect(operations.find('op1')).toBeUndefined();
  });

  it('tells a watcher the latest progress first, then what follows', async () => {
    const operations = await open(tempDir());
    const gate = Promise.withResolvers<void>();
    const counted = Promise.withResolvers<void>();
    const run = await operations.start(order(), nothing, async (context) => {
      await context.step('download', async (count) => {
        count({ bytes: 1, totalBytes: 2, entries: 0 });
        counted.resolve();
        await gate.promise;
        count({ bytes: 2, totalBytes: 2, entries: 1 });
      });
      return staged;
    });
    const watched: string[] = [];
    await counted.promise;
    const iterator = run.watch(new AbortController().signal);
    const first = await iterator.next();
    watched.push(describeProgress(first.value));
    gate.resolve();
    for await (const progress of iterator) watched.push(describeProgress(progress));
    // The counts of a step that goes on replace each other for a watcher that is behind.
    expect(watched).toEqual(['download running 1/2 0', 'download finished 2/2 1']);
  });

  it('tells of a step that is over at once only its end, and of one that lasts its beginning while it lasts', async () => {
    const operations = await open(tempDir());
    const toldOfSlow = Promise.withResolvers<void>();
    const run = await operations.start(order(), nothing, async (context) => {
      await context.step('quick', async () => undefined);
      await context.step('slow', () => toldOfSlow.promise);
      return staged;
    });
    const watched: string[] = [];
    for await (const { step, state } of run.watch(new AbortController().signal)) {
      watched.push(`${step} ${state}`);
      if (step === 'slow') toldOfSlow.resolve();
    }
    expect(watched).toEqual(['quick finished', 'slow started', 'slow finished']);
  });

  it('holds the file of an operation open only while that goes on', async () => {
    const stateDir = tempDir();
    const operations = await open(stateDir);
    let meanwhile: string[] = [];
    const run = await operations.start(order(), nothing, async (context) => {
      await context.record({ event: 'activated' });
      meanwhile = openBelow(stateDir);
      return staged;
    });
    await outcome(run);
    expect(meanwhile).toEqual([join(stateDir, 'operations/op1.jsonl')]);
    expect(openBelow(stateDir)).toEqual([]);
  });

  it('says that the state is unknown when what happened after a flip cannot be written down', async () => {
    const stateDir = tempDir();
    const operations = await open(stateDir);
    const flipped = await operations.start(order(), nothing, async (context) => {
      context.decideFlip();
      rmSync(join(stateDir, 'operations'), { recursive: true });
      return staged;
    });
    expect(await outcome(flipped)).toEqual({
      kind: 'failed',
      error: { code: 'STATE_UNKNOWN', params: { known: 'staged, journal: DISK_ERROR' } },
    });
  });

  it('tells a failure before the flip as it is, even when it cannot be written down', async () => {
    const stateDir = tempDir();
    const operations = await open(stateDir);
    const run = await operations.start(order(), nothing, async () => {
      rmSync(join(stateDir, 'operations'), { recursive: true });
      throw new DeployError('DOWNLOAD_HTTP_STATUS', { status: 404 });
    });
    expect(await outcome(run)).toEqual({
      kind: 'failed',
      error: { code: 'DOWNLOAD_HTTP_STATUS', params: { status: 404 } },
    });
  });
});

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

function describeProgress(progress: unknown): string {
  const { step, state, bytes, totalBytes, entries } = progress as Record<string, unknown>;
  return `${step} ${state} ${bytes}/${totalBytes} ${entries}`;
}
