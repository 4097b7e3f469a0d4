import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { ConfigError, checkConfig, loadConfig } from '@sampan/shared/load-config.ts';
import { redactUrl } from '@sampan/shared/redact-url.ts';
import { duration, isLoopback, listenAddress, period } from '@sampan/shared/units.ts';
import { z } from 'zod';

const port = z.int().min(1).max(65_535);

const ipRange = z.string().refine(isIpRange, {
  error: (issue) => `expected an IP address or a range such as 10.0.0.0/8, got ${JSON.stringify(issue.input)}`,
});

const DATABASE_RULE =
  'sqlite: and a path, such as sqlite:/var/lib/sampan-controller/sampan.db, or postgres://user:password@host/database';

/** Where the controller remembers what it does: the path of a file, or the URL of a PostgreSQL database. */
const database = z.string().transform((text, context) => {
  const path = /^sqlite:(?!:|\/\/[^/])(.+)$/.exec(text)?.[1];
  if (path !== undefined) return path;
  if (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) return text;
  context.addIssue({ code: 'custom', message: whyNoDatabase(text) });
  return z.NEVER;
});

function whyNoDatabase(text: string): string {
  if (text === 'sqlite::memory:') return `what is in memory does not outlive a crash; expected ${DATABASE_RULE}`;
  // Somebody else's URL may hold a password.
  return `expected ${DATABASE_RULE}, got ${text.includes('://') ? redactUrl(text) : JSON.stringify(text)}`;
}

const auth = z.strictObject({
  /** auto: required as soon as other machines can reach the API. */
  tokens: z.enum(['auto', 'required', 'off']).default('auto'),
  /** Clients that may call the five documented endpoints without a token. On loopback and without tokens: the only ones. */
  allow_ips: z.array(ipRange).default([]),
  /** Whose X-Forwarded-For is believed. */
  trusted_proxies: z.array(ipRange).default([]),
});

const path = z.string().min(1, { error: 'expected the path of a file' });

/** With which certificate HTTPS is served: of files, or of our own CA. */
const tls = z.union([z.literal('own_ca'), z.strictObject({ cert: path, key: path })], {
  error: 'expected { cert: FILE, key: FILE }, own_ca, or null for plain HTTP',
});

/** controller.yaml. Unknown keys are refused; every key has the default that is written here. */
export const controllerConfigSchema = z.strictObject({
  listen: listenAddress.prefault('127.0.0.1:8080'),
  /** A relative path counts from the configuration file. */
  database: database.prefault('sqlite:/var/lib/sampan-controller/sampan.db'),
  /** Names by which callers reach this controller, beside IP addresses and localhost: any other Host is refused. */
  public_hosts: z.array(z.string().toLowerCase()).default([]),
  agents: z
    .strictObject({
      port: port.default(7410),
      connect_timeout: duration.prefault('5s'),
      /** The package that hosts install by the line of `join-token`; null: they are installed some other way. */
      package: path.nullable().default(null),
    })
    .prefault({}),
  /** Where `sampan-controller init` makes the CA. Null: no TLS to agents, which must then be on this machine. */
  identity_dir: z.string().min(1).nullable().default(null),
  certificates: z
    .strictObject({
      /** Of agents and of the controller itself; each is renewed when half of it is over. */
      lifetime: period.prefault('90d'),
    })
    .prefault({}),
  /** Relative paths count from the configuration file. */
  tls: tls.nullable().default(null),
  auth: auth.prefault({}),
  /** How long the audit trail goes back. */
  audit: z.strictObject({ keep: period.prefault('400d') }).prefault({}),
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
  const absolute = (path: string) => resolve(dirname(file ?? '.'), path);
  if (!URL.canParse(config.database)) config.database = absolute(config.database);
  if (config.agents.package !== null) config.agents.package = absolute(config.agents.package);
  if (config.identity_dir !== null) config.identity_dir = absolute(config.identity_dir);
  if (config.tls && config.tls !== 'own_ca') {
    config.tls = { cert: absolute(config.tls.cert), key: absolute(config.tls.key) };
  }
  if (areTokensRequired(config) || !isReachable(config) || config.auth.allow_ips.length > 0) return config;
  throw new ConfigError(
    `${file} cannot be used:\n  auth.tokens: off would let everybody in who reaches ${config.listen.host}; expected required, or a list of clients in auth.allow_ips, who may then call the five documented endpoints and nothing else`,
  );
}

/** Whether other machines can call: by the address itself, or through a proxy. */
export function isReachable({ listen, auth }: ControllerConfig): boolean {
  return !isLoopback(listen.host) || auth.trusted_proxies.length > 0;
}

/** Whether callers need a token, but for what is public and for `auth.allow_ips`. */
export function areTokensRequired(config: ControllerConfig): boolean {
  return config.auth.tokens === 'required' || (config.auth.tokens === 'auto' && isReachable(config));
}

function standalone(): ControllerConfig {
  return checkConfig(controllerConfigSchema, { database: 'sqlite:.sampan/controller/sampan.db' }, 'defaults');
}

function isIpRange(text: string): boolean {
  const found = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const family = isIP(found?.[1] ?? '');
  return family !== 0 && Number(found?.[2] ?? 0) <= (family === 4 ? 32 : 128);
}
