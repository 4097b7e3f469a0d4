import { onTestFinished } from 'vitest';
import { type FakeAgent, type FakeMethods, serveFakeAgent } from './serve-fake-agent.ts';

export type { FakeAgent, FakeMethods };

/** A fake agent that ends with the test. */
export async function startFakeAgent(
  methods?: FakeMethods,
  at?: { address?: string; port?: number },
): Promise<FakeAgent> {
  const agent = await serveFakeAgent(methods, at);
  onTestFinished(agent.kill);
  return agent;
}
