import {
  activateRequest,
  type DeployPlan,
  holdMs,
  planKey,
  type RollbackPlan,
  stageRequest,
} from '@sampan/controller/rollout/rollout-plan.ts';
import { ALL_AT_ONCE, type Strategy } from '@sampan/controller/rollout/strategy.ts';
import { describe, expect, it } from 'vitest';

const host = (name: string) => ({ name, address: { host: name, port: 7410, key: `${name}:7410` } });
const target = { projectName: 'shop', linkName: 'web', language: 'java', deployDir: '' } as const;

const deploy: DeployPlan = {
  operation: 'deploy',
  hosts: [host('a'), host('b')],
  target,
  restart: true,
  autoRollback: true,
  fileUrl: 'http://origin/web-1.tar.gz',
  filename: 'web-1.tar.gz',
  sha256: '',
  filenameDelete: 'web-0.tar.gz',
  strategy: ALL_AT_ONCE,
  queue: false,
};
const rollback: RollbackPlan = {
  operation: 'rollback',
  hosts: [host('a')],
  target,
  restart: false,
  autoRollback: false,
  version: 'web-0',
  strategy: ALL_AT_ONCE,
  queue: false,
};

describe('planKey', () => {
  it('is equal for the same hosts in another order', () => {
    expect(planKey({ ...deploy, hosts: [host('b'), host('a')] })).toBe(planKey(deploy));
  });

  it.each([
    { ...deploy, hosts: [host('a')] },
    { ...deploy, restart: false },
    { ...deploy, autoRollback: false },
    { ...deploy, fileUrl: 'http://origin/web-2.tar.gz' },
    { ...deploy, sha256: 'a'.repeat(64) },
    { ...deploy, filenameDelete: '' },
    { ...deploy, target: { ...target, linkName: 'other' } },
    rollback,
  ])('differs for anything else that differs (%#)', (other) => {
    expect(planKey(other)).not.toBe(planKey(deploy));
  });
});

describe('the requests of a plan', () => {
  const fence = { database: '00000000-0000-4000-8000-000000000000', number: 7 };
  const attempt = { operationId: 'op-1', deadlineMs: 5000, fence };

  it('stage what is to be deployed, and announce the restart', () => {
    expect(stageRequest(deploy, attempt, 60_000)).toEqual({
      operationId: 'op-1',
      deadlineMs: 5000,
      fence,
      holdMs: 60_000,
      target,
      fileUrl: 'http://origin/web-1.tar.gz',
      filename: 'web-1.tar.gz',
      sha256: '',
      willRestart: true,
    });
  });

  it('activate the staged release under the same operation id', () => {
    expect(activateRequest(deploy, attempt, 'web-1~2')).toEqual({
      operationId: 'op-1',
      deadlineMs: 5000,
      fence,
      target,
      release: 'web-1~2',
      filenameDelete: 'web-0.tar.gz',
      restart: true,
      autoRollback: true,
    });
  });

  it('activate a version for a rollback', () => {
    expect(activateRequest(rollback, attempt, '')).toEqual({
      operationId: 'op-1',
      deadlineMs: 5000,
      fence,
      target,
      version: 'web-0',
      restart: false,
      autoRollback: false,
    });
  });
});

describe('holdMs', () => {
  const hosts = Array.from({ length: 41 }, (_, index) => host(`h${index}`));
  const limits = { timeoutMs: 600_000, restartParallel: 20 };
  const strategy = (more: Partial<Strategy>) => ({
    ...deploy,
    hosts,
    restart: false,
    strategy: { ...ALL_AT_ONCE, ...more },
  });

  it('is what the slowest host may take to stage, and a minute, where nothing restarts', () => {
    expect(holdMs({ ...deploy, hosts, restart: false }, limits)).toBe(660_000);
  });

  it('has a minute more for each group that restarts together', () => {
    expect(holdMs({ ...deploy, hosts }, limits)).toBe(780_000);
  });

  it('has what each wave before the last may take, its baking and its pause', () => {
    const batches = strategy({ batch: { kind: 'count', count: 21 }, bakeMs: 5_000 });
    expect(holdMs(batches, limits)).toBe(660_000 + 605_000);
    const canary = strategy({ canary: { hosts: 1, pauseMs: 7_000 } });
    expect(holdMs(canary, limits)).toBe(660_000 + 600_000 + 7_000);
  });

  it('is a day where a person decides', () => {
    expect(holdMs(strategy({ canary: { hosts: 1, pauseMs: null } }), limits)).toBe(86_400_000);
  });
});
