import {
  activateRequest,
  type DeployPlan,
  holdMs,
  planKey,
  type RollbackPlan,
  stageRequest,
} from '@sampan/controller/rollout/rollout-plan.ts';
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
};
const rollback: RollbackPlan = {
  operation: 'rollback',
  hosts: [host('a')],
  target,
  restart: false,
  autoRollback: false,
  version: 'web-0',
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
  const attempt = { operationId: 'op-1', deadlineMs: 5000 };

  it('stage what is to be deployed, and announce the restart', () => {
    expect(stageRequest(deploy, attempt, 60_000)).toEqual({
      operationId: 'op-1',
      deadlineMs: 5000,
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
      target,
      version: 'web-0',
      restart: false,
      autoRollback: false,
    });
  });
});

describe('holdMs', () => {
  const hosts = Array.from({ length: 41 }, (_, index) => host(`h${index}`));

  it('is a minute where nothing restarts', () => {
    expect(holdMs({ ...deploy, hosts, restart: false }, 20)).toBe(60_000);
  });

  it('is a minute for each group that restarts together', () => {
    expect(holdMs({ ...deploy, hosts }, 20)).toBe(180_000);
    expect(holdMs(deploy, 20)).toBe(60_000);
  });
});
