import type { HealthCheck as WireHealthCheck } from '@sampan/shared/gen/sampan/agent/v1/HealthCheck.ts';
import { z } from 'zod';

/** What shows that a release works, as it is kept in a plan. Zeros mean the agent's defaults. */
export const healthCheckSchema = z.object({
  probe: z.discriminatedUnion('kind', [
    /** `status` 0: any of 200 to 399. */
    z.object({ kind: z.literal('http'), url: z.string(), status: z.number() }),
    z.object({ kind: z.literal('tcp'), address: z.string() }),
    z.object({ kind: z.literal('command'), argv: z.array(z.string()) }),
  ]),
  intervalMs: z.number(),
  timeoutMs: z.number(),
  deadlineMs: z.number(),
  successes: z.number(),
});

export type HealthCheck = z.output<typeof healthCheckSchema>;

/** The same as an agent is told. */
export function wireHealthCheck({ probe, ...times }: HealthCheck): WireHealthCheck {
  switch (probe.kind) {
    case 'http':
      return { http: { url: probe.url, status: probe.status }, ...times };
    case 'tcp':
      return { tcp: { address: probe.address }, ...times };
    case 'command':
      return { command: { argv: probe.argv }, ...times };
  }
}
