import { resolve } from 'node:path';
import type { ProjectLanguage } from '@sampan/shared/languages.ts';
import { ConfigError, checkConfig, loadConfig } from '@sampan/shared/load-config.ts';
import { duration, isLoopback, listenAddress, size } from '@sampan/shared/units.ts';
import { z } from 'zod';

const command = z.union([
  z
    .string()
    .min(1)
    .transform((text) => [text]),
  z.array(z.string().min(1)).nonempty(),
]);

/** An absolute path in which only these placeholders stand. */
function template(placeholders: readonly string[]) {
  return z
    .string()
    .startsWith('/')
    .refine((path) => (path.match(/\{[^}]*\}?/g) ?? []).every((found) => placeholders.includes(found)), {
      error: `expected no placeholder but ${placeholders.join(' ')}`,
    });
}

/** Node takes a proxy of any other scheme for none, and would ask the origin itself. May hold a password: no error shows it. */
const proxyUrl = z.url({ protocol: /^https?$/, error: 'expected the URL of an HTTP proxy, such as http://proxy:3128' });

const hook = z.strictObject({
  run: command,
  user: z.string().min(1).nullable().default(null),
  timeout: duration.default(60_000),
});

/** `restarts`: what the language may be told to do for a restart, the default first. php has no program of its own. */
const language = (base: string, restarts: readonly ['supervisor' | 'none', ...'none'[]]) =>
  z
    .strictObject({
      base_dir: template(['{project_name}', '{deploy_dir}']).default(base),
      log_file: template(['{project_name}', '{deploy_dir}', '{logname}'])
        .includes('{logname}', 'expected a path with {logname}: each log is a file of its own')
        .default('/opt/log/{project_name}/{logname}'),
      owner: z
        .string()
        .regex(/^[^:\s]+(:[^:\s]+)?$/, 'expected user or user:group')
        .nullable()
        .default(null),
      restart: z.enum(restarts).default(restarts[0]),
      reload: command.nullable().default(null),
      hooks: z
        .strictObject({ pre_activate: hook.nullable().default(null), post_activate: hook.nullable().default(null) })
        .prefault({}),
      allow_links_to: z.array(z.string().startsWith('/')).default([]),
    })
    .prefault({});

/** agent.yaml. Unknown keys are refused; every key has the default that is written here. */
export const agentConfigSchema = z.strictObject({
  listen: listenAddress.prefault('127.0.0.1:7410'),
  health_listen: listenAddress.prefault('127.0.0.1:7411'),
  state_dir: z.string().startsWith('/').default('/var/lib/sampan-agent'),
  /** Where `sampan-agent join` puts this host's key and certificate. Null: no TLS, and `listen` must be loopback. */
  identity_dir: z.string().startsWith('/').nullable().default(null),
  languages: z
    .strictObject({
      php: language('/opt/service', ['none']),
      java: language('/opt/service', ['supervisor', 'none']),
      golang: language('/opt/{deploy_dir}', ['supervisor', 'none']),
    })
    .prefault({}),
  reserved_deploy_dirs: z
    .array(z.string())
    .default([
      'service',
      'log',
      'logs',
      'sampan',
      'sampan-agent',
      'sampan-controller',
      'lost+found',
      'containerd',
      'cni',
    ]),
  supervisor: z
    .strictObject({
      ctl: z.array(z.string().min(1)).nonempty().default(['supervisorctl']),
      conf_file: z.string().default('auto'),
      settle: duration.default(3000),
    })
    .prefault({}),
  download: z
    .strictObject({
      allow: z.array(z.string()).nonempty().default(['http://**', 'https://**']),
      max_bytes: size.prefault('10GiB'),
      timeout: duration.prefault('30m'),
      idle_timeout: duration.prefault('30s'),
      attempts: z.int().min(1).max(20).default(4),
      max_redirects: z.int().min(0).max(20).default(5),
      proxy: proxyUrl.nullable().default(null),
    })
    .prefault({}),
  unpack: z
    .strictObject({
      max_bytes: size.prefault('20GiB'),
      max_entries: z.int().min(1).default(500_000),
      max_path_length: z.int().min(1).max(4000).default(1024),
      max_depth: z.int().min(1).default(64),
      max_ratio: z.number().min(1).default(1000),
    })
    .prefault({}),
  readiness: z
    .strictObject({ min_free: size.prefault('256MiB'), min_free_inodes: z.int().min(0).default(1000) })
    .prefault({}),
  /** As whom commands are run that callers name as health checks; null: as the agent itself. */
  health_checks: z.strictObject({ user: z.string().min(1).nullable().default('nobody') }).prefault({}),
  releases: z.strictObject({ keep: z.int().min(1).default(10) }).prefault({}),
  log_level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type AgentConfig = z.output<typeof agentConfigSchema>;
export type LanguageConfig = AgentConfig['languages'][ProjectLanguage];
export type HookConfig = z.output<typeof hook>;

/**
 * The agent's configuration: from `file`, or, without one, on loopback with everything under `./.sampan`.
 * @throws ConfigError that lists every fault by path.
 */
export function loadAgentConfig(file: string | undefined): AgentConfig {
  const config = file === undefined ? standalone() : loadConfig(agentConfigSchema, file);
  const { listen, health_listen } = config;
  if (listen.port !== 0 && listen.port === health_listen.port && listen.host === health_listen.host) {
    throw new ConfigError(`${file} cannot be used:\n  health_listen: expected another address than listen`);
  }
  if (config.identity_dir === null && !isLoopback(listen.host)) {
    throw new ConfigError(
      `${file} cannot be used:\n  listen: ${listen.host} can be reached from other machines, which needs identity_dir (see sampan-agent join); without it, expected a loopback address such as 127.0.0.1`,
    );
  }
  return config;
}

function standalone(): AgentConfig {
  const under = (path: string) => resolve('.sampan', path);
  const log_file = under('log/{project_name}/{logname}');
  return checkConfig(
    agentConfigSchema,
    {
      state_dir: under('agent'),
      languages: {
        php: { base_dir: under('service'), log_file },
        java: { base_dir: under('service'), log_file },
        golang: { base_dir: under('{deploy_dir}'), log_file },
      },
    },
    'defaults',
  );
}
