import { BlockList, isIP, isIPv4 } from 'node:net';
import { dirname, resolve } from 'node:path';
import { ConfigError, checkConfig, loadConfig } from '@sampan/shared/load-config.ts';
import { redactUrl } from '@sampan/shared/redact-url.ts';
import { duration, isLoopback, listenAddress } from '@sampan/shared/units.ts';
import { z } from 'zod';

const port = z.int().min(1).max(65_535);

const ipRange = z.string().refine(isIpRange, {
  error: (issue) => `expected an IP address or a range such as 10.0.0.0/8, got ${JSON.stringify(issue.input)}`,
});

const DATABASE_RULE = 'sqlite: and a path, such as sqlite:/var/lib/sampan-controller/sampan.db';

/** Where the controller remembers what it does. */
const database = z.string().transform((text, context) => {
  const path = /^sqlite:(?!:|\/\/[^/])(.+)$/.exec(text)?.[1];
  if (path !== undefined) return { kind: 'sqlite' as const, file: path };
  context.addIssue({ code: 'custom', message: whyNoDatabase(text) });
  return z.NEVER;
});

function whyNoDatabase(text: string): string {
  if (/^postgres(ql)?:/.test(text)) return `PostgreSQL cannot be used by this version yet; expected ${DATABASE_RULE}`;
  if (text === 'sqlite::memory:') return `what is in memory does not outlive a crash; expected ${DATABASE_RULE}`;
  // Somebody else's URL may hold a password.
  return `expected ${DATABASE_RULE}, got ${text.includes('://') ? redactUrl(text) : JSON.stringify(text)}`;
}

/** controller.yaml. Unknown keys are refused; every key has the default that is written here. */
export const controllerConfigSchema = z.strictObject({
  /** Loopback only in this version. */
  listen: listenAddress.prefault('127.0.0.1:8080'),
  /** A relative path counts from the configuration file. */
  database: database.prefault('sqlite:/var/lib/sampan-controller/sampan.db'),
  /** Names by which callers reach this controller, beside IP addresses and localhost: any other Host is refused. */
  public_hosts: z.array(z.string().toLowerCase()).default([]),
  agents: z.strictObject({ port: port.default(7410), connect_timeout: duration.prefault('5s') }).prefault({}),
  auth: z
    .strictObject({
      /** Who may call the documented endpoints; empty: everybody who can reach the address. */
      allow_ips: z.array(ipRange).default([]),
    })
    .prefault({}),
  rollouts: z
    .strictObject({
      max_parallel: z.int().min(1).max(10_000).default(200),
      restart_parallel: z.int().min(1).max(10_000).default(20),
      /** For each host, from the moment at which work on it starts. */
      timeout: duration.prefault('30m'),
    })
    .prefault({}),
  /** After SIGTERM: how long what runs may go on before whatever has not flipped is cancelled. */
  shutdown_grace: duration.prefault('25s'),
  log_level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type ControllerConfig = z.output<typeof controllerConfigSchema>;

/**
 * The controller's configuration: from `file`, or, without one, on loopback with its database under `./.sampan`.
 * @throws ConfigError that lists every fault by path.
 */
export function loadControllerConfig(file: string | undefined): ControllerConfig {
  const config = file === undefined ? standalone() : loadConfig(controllerConfigSchema, file);
  config.database.file = resolve(dirname(file ?? '.'), config.database.file);
  if (isLoopback(config.listen.host)) return config;
  throw new ConfigError(
    `${file} cannot be used:\n  listen: ${config.listen.host} can be reached from other machines, and this version has neither tokens nor TLS yet; expected a loopback address such as 127.0.0.1`,
  );
}

function standalone(): ControllerConfig {
  return checkConfig(controllerConfigSchema, { database: 'sqlite:.sampan/controller/sampan.db' }, 'defaults');
}

/** The addresses that `auth.allow_ips` lists, or undefined when it lists none and everybody may call. */
export function allowedClients(ranges: readonly string[]): BlockList | undefined {
  if (ranges.length === 0) return undefined;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

function isIpRange(text: string): boolean {
  const found = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const family = isIP(found?.[1] ?? '');
  return family !== 0 && Number(found?.[2] ?? 0) <= (family === 4 ? 32 : 128);
}
