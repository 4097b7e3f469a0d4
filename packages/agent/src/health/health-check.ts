import { redactUrl } from '@sampan/shared/redact-url.ts';
import { z } from 'zod';

/** What shows that a release works, complete: times in milliseconds. */
export const healthCheckSchema = z.object({
  probe: z.discriminatedUnion('kind', [
    /** `status` 0: any of 200 to 399. */
    z.object({ kind: z.literal('http'), url: z.string(), status: z.number() }),
    z.object({ kind: z.literal('tcp'), host: z.string(), port: z.number() }),
    z.object({ kind: z.literal('command'), argv: z.array(z.string()) }),
  ]),
  /** Between two attempts, of one attempt, and of all of them together. */
  intervalMs: z.number(),
  timeoutMs: z.number(),
  deadlineMs: z.number(),
  /** So many in a row must succeed. */
  successes: z.number(),
});

export type HealthCheck = z.output<typeof healthCheckSchema>;

/** Where nothing is said. */
export const HEALTH_DEFAULTS = { intervalMs: 1_000, timeoutMs: 5_000, deadlineMs: 60_000, successes: 1 };

/** How a check is called in messages: `http http://127.0.0.1:8080/healthz`. What may be secret in a URL is not in it. */
export function checkName({ probe }: HealthCheck): string {
  switch (probe.kind) {
    case 'http':
      return `http ${redactUrl(probe.url)}`;
    case 'tcp':
      return `tcp ${probe.host}:${probe.port}`;
    case 'command':
      return `command ${probe.argv[0] ?? ''}`;
  }
}

/** What it takes for success, in words. */
export function expectedOf({ probe }: HealthCheck): string {
  switch (probe.kind) {
    case 'http':
      return probe.status === 0 ? 'a status of 200 to 399' : `status ${probe.status}`;
    case 'tcp':
      return 'a connection';
    case 'command':
      return 'exit 0';
  }
}
