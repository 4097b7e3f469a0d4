import { z } from 'zod';

const SIZE = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)?$/;
const BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };

/** A size in configuration, in bytes: a number, or text such as `512MiB` or `10GiB`. */
export const size = z.union([z.number(), z.string()]).transform((value, context) => {
  const found = SIZE.exec(String(value).trim());
  if (found) return Math.round(Number(found[1]) * BYTES[(found[2] ?? 'B') as keyof typeof BYTES]);
  context.addIssue({ code: 'custom', message: `expected a size such as 2GiB, got ${JSON.stringify(value)}` });
  return z.NEVER;
});

const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;
const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What a Node timer can wait for; one that is to wait longer fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
/** The same in whole days. */
const MAX_DURATION_MS = 24 * MILLISECONDS.d;

/** A duration in configuration, in milliseconds: text such as `500ms`, `5s`, `30m`, up to 24 days. A bare number is refused: it has no unit. */
export const duration = z
  .union([z.number(), z.string()])
  .transform((value, context) => readDuration(value, context, { maxMs: MAX_DURATION_MS, max: '24d', example: '30s' }));

/** A span of the calendar, for which no timer waits, in milliseconds: text such as `12h` or `90d`, up to 36500 days. */
export const period = z
  .union([z.number(), z.string()])
  .transform((value, context) =>
    readDuration(value, context, { maxMs: 36_500 * MILLISECONDS.d, max: '36500d', example: '90d' }),
  );

function readDuration(
  value: unknown,
  context: z.RefinementCtx,
  { maxMs, max, example }: { maxMs: number; max: string; example: string },
): number {
  const found = DURATION.exec(String(value).trim());
  const ms = found ? Math.round(Number(found[1]) * MILLISECONDS[found[2] as keyof typeof MILLISECONDS]) : 0;
  if (ms > 0 && ms <= maxMs) return ms;
  const expected = found ? `more than 0 and at most ${max}` : `a duration such as ${example}`;
  context.addIssue({ code: 'custom', message: `expected ${expected}, got ${JSON.stringify(value)}` });
  return z.NEVER;
}

/** Where a port is opened, `host:port` or `[v6]:port`. Port 0 lets the system choose. */
export interface ListenAddress {
  host: string;
  port: number;
}

export const listenAddress = z.string().transform((text, context): ListenAddress => {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  const host = found?.[1] ?? found?.[2];
  if (host !== undefined && port <= 65_535) return { host, port };
  context.addIssue({
    code: 'custom',
    message: `expected an address such as 127.0.0.1:8080, got ${JSON.stringify(text)}`,
  });
  return z.NEVER;
});

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
