import { duration } from '@sampan/shared/units.ts';
import { z } from 'zod';
import type { HealthCheck } from '../rollout/health-check.ts';
import { ALL_AT_ONCE, type BatchSize, type Canary, type Strategy } from '../rollout/strategy.ts';
import { MAX_HOSTS } from './limits.ts';
import { shown } from './shown.ts';

/**
 * The options of a rollout, as extra fields of the documented requests and as fields of `/v1`. What they are to be instead is told in
 * the language of the API.
 */
export function rolloutOptions(language: 'zh' | 'en') {
  const rules = RULES[language];
  const about = ABOUT[language];
  const text = (key: keyof typeof ABOUT.en) => ({ description: about[key] });
  const count = (most: number, rule: string) =>
    z.int({ error: rule }).min(1, { error: rule }).max(most, { error: rule });
  return {
    batch: z
      .union([count(MAX_HOSTS, rules.batch), z.string().regex(/^(100|[1-9]\d?)%$/, { error: rules.batch })], {
        error: rules.batch,
      })
      .nullish()
      .meta(shown({ type: ['integer', 'string'], ...text('batch'), examples: ['25%'] })),
    canary: count(MAX_HOSTS, rules.canary)
      .nullish()
      .meta(shown({ type: 'integer', minimum: 1, ...text('canary'), examples: [1] })),
    canary_pause: z
      .union([z.literal('manual'), duration], { error: rules.canary_pause })
      .nullish()
      .meta(shown({ type: 'string', ...text('canary_pause'), examples: ['10m'] })),
    max_failures: z
      .int({ error: rules.max_failures })
      .min(0, { error: rules.max_failures })
      .nullish()
      .meta(shown({ type: 'integer', minimum: 0, ...text('max_failures'), examples: [0] })),
    atomic: z
      .boolean({ error: rules.flag })
      .nullish()
      .meta(shown({ type: 'boolean', default: false, ...text('atomic'), examples: [true] })),
    health_check: healthCheckField(rules.health_check)
      .nullish()
      .meta(shown({ type: 'object', ...text('health_check'), examples: [{ http: 'http://127.0.0.1:8080/healthz' }] })),
    bake_seconds: z
      .number({ error: rules.bake_seconds })
      .min(0, { error: rules.bake_seconds })
      .max(DAY_S, { error: rules.bake_seconds })
      .nullish()
      .meta(shown({ type: 'number', minimum: 0, ...text('bake_seconds'), examples: [30] })),
    queue: z
      .boolean({ error: rules.flag })
      .nullish()
      .meta(shown({ type: 'boolean', default: false, ...text('queue'), examples: [true] })),
  };
}

/** The options as they were sent. */
export type RolloutOptions = z.output<z.ZodObject<ReturnType<typeof rolloutOptions>>>;

/** What they come to; adds an issue where they contradict each other. */
export function strategyOf(
  options: RolloutOptions & { auto_rollback: boolean },
  context: z.RefinementCtx,
  language: 'zh' | 'en',
): Strategy {
  const rules = RULES[language];
  const refuse = (field: keyof RolloutOptions | 'auto_rollback', message: string) =>
    context.addIssue({ code: 'custom', message, path: [field], input: options[field] });
  const { canary, canary_pause, health_check, bake_seconds, atomic } = options;
  if (canary_pause && !canary) refuse('canary_pause', rules.only_with_canary);
  if (bake_seconds && !health_check) refuse('bake_seconds', rules.only_with_health_check);
  if (atomic && !options.auto_rollback) refuse('auto_rollback', rules.not_with_atomic);
  const isOrdered = atomic || canary || options.batch;
  return {
    ...ALL_AT_ONCE,
    batch: batchOf(options.batch),
    canary: canary ? canaryOf(canary, canary_pause) : null,
    // Whoever asks for an order wants to be stopped by the first that fails.
    maxFailures: options.max_failures ?? (isOrdered ? 0 : null),
    atomic: atomic ?? false,
    healthCheck: health_check ?? null,
    bakeMs: Math.round((bake_seconds ?? 0) * 1000),
  };
}

const DAY_S = 86_400;

function batchOf(batch: RolloutOptions['batch']): BatchSize {
  if (typeof batch === 'number') return { kind: 'count', count: batch };
  return batch ? { kind: 'percent', percent: Number.parseInt(batch, 10) } : { kind: 'all' };
}

function canaryOf(hosts: number, pause: RolloutOptions['canary_pause']): Canary {
  return { hosts, pauseMs: typeof pause === 'number' ? pause : null };
}

/** `{ http: URL }` or `{ http: { url, status } }`, `{ tcp: "host:port" }`, `{ command: [...] }`, with times in seconds. */
function healthCheckField(rule: string) {
  // Whatever is wrong inside is told as the whole is: zod's own words are English, and name no field of ours.
  const error = rule;
  const seconds = z.number({ error }).positive({ error }).max(DAY_S, { error }).optional();
  const times = {
    interval_seconds: seconds,
    timeout_seconds: seconds,
    deadline_seconds: seconds,
    successes: z.int({ error }).min(1, { error }).max(100, { error }).optional(),
  };
  const url = z
    .string({ error })
    .max(2000, { error })
    .regex(/^https?:\/\/[^\s/]/i, { error });
  const status = z.int({ error }).min(100, { error }).max(599, { error }).optional();
  const http = z.union([url, z.strictObject({ url, status }, { error })], { error });
  const tcp = z
    .string({ error })
    .max(300, { error })
    .regex(/^\S*:\d{1,5}$/, { error });
  const word = z
    .string({ error })
    .min(1, { error })
    .max(4000, { error })
    .refine((text) => !text.includes('\0'), { error });
  return z
    .union(
      [
        z.strictObject({ http, ...times }),
        z.strictObject({ tcp, ...times }),
        z.strictObject({ command: z.array(word, { error }).min(1, { error }).max(100, { error }), ...times }),
      ],
      { error: rule },
    )
    .transform((sent): HealthCheck => ({ probe: probeOf(sent), ...timesOf(sent) }));
}

type Sent =
  | { http: string | { url: string; status?: number | undefined } }
  | { tcp: string }
  | { command: readonly string[] };

function probeOf(sent: Sent): HealthCheck['probe'] {
  if ('tcp' in sent) return { kind: 'tcp', address: sent.tcp };
  if ('command' in sent) return { kind: 'command', argv: [...sent.command] };
  const { url, status } = typeof sent.http === 'string' ? { url: sent.http, status: 0 } : sent.http;
  return { kind: 'http', url, status: status ?? 0 };
}

function timesOf(sent: {
  interval_seconds?: number | undefined;
  timeout_seconds?: number | undefined;
  deadline_seconds?: number | undefined;
  successes?: number | undefined;
}): Omit<HealthCheck, 'probe'> {
  // 0 is the agent's default.
  const ms = (value: number | undefined) => (value === undefined ? 0 : Math.max(1, Math.round(value * 1000)));
  return {
    intervalMs: ms(sent.interval_seconds),
    timeoutMs: ms(sent.timeout_seconds),
    deadlineMs: ms(sent.deadline_seconds),
    successes: sent.successes ?? 0,
  };
}

const RULES = {
  en: {
    batch: `a number of hosts from 1 to ${MAX_HOSTS}, or a part of them such as "25%"`,
    canary: `a number of hosts from 1 to ${MAX_HOSTS}`,
    canary_pause: '"manual", or a duration such as "10m"',
    max_failures: 'a number of hosts from 0 on',
    flag: 'true or false',
    health_check: 'one of {"http": URL}, {"tcp": "host:port"}, {"command": [...]}, with interval_seconds and the like',
    bake_seconds: `seconds, from 0 to ${DAY_S}`,
    only_with_canary: 'canary beside it',
    only_with_health_check: 'health_check beside it, which is what has to hold',
    not_with_atomic: 'true where atomic is: it goes back',
  },
  zh: {
    batch: `1 到 ${MAX_HOSTS} 的主机数, 或 "25%" 这样的比例`,
    canary: `1 到 ${MAX_HOSTS} 的主机数`,
    canary_pause: '"manual", 或 "10m" 这样的时长',
    max_failures: '0 以上的主机数',
    flag: 'true 或 false',
    health_check: '{"http": 地址}、{"tcp": "主机:端口"}、{"command": [...]} 之一, 可加 interval_seconds 等',
    bake_seconds: `0 到 ${DAY_S} 秒`,
    only_with_canary: '同时传 canary',
    only_with_health_check: '同时传 health_check, 持续检查的就是它',
    not_with_atomic: 'atomic 为 true 时只能是 true',
  },
} as const;

const ABOUT = {
  en: {
    batch: 'how many hosts are activated at a time, once all have staged; default: all',
    canary: 'so many hosts first, and then a pause',
    canary_pause: 'how long after the canary: a duration, or until somebody resumes (manual, the default)',
    max_failures: 'more failed hosts end the rollout; default: 0 with batch, canary or atomic, else any number',
    atomic: 'all hosts or none: nothing flips unless all have staged, and past max_failures all go back',
    health_check: 'asked on each host after its activation; its failure takes the host back',
    bake_seconds: 'for so long after each wave the health check must hold',
    queue: 'wait while another rollout holds one of the links',
  },
  zh: {
    batch: '全部主机下载解压完成之后, 每次切换多少台; 默认全部',
    canary: '先切换这么多台, 然后暂停',
    canary_pause: '金丝雀之后暂停多久: 时长, 或等人继续 (manual, 默认)',
    max_failures: '失败的主机超过这个数就停止; 有 batch、canary 或 atomic 时默认 0, 否则不限',
    atomic: '全部成功或全部不变: 有一台没准备好就都不切换, 失败超过 max_failures 则全部恢复',
    health_check: '每台主机切换之后执行的健康检查, 失败则恢复该主机',
    bake_seconds: '每批之后健康检查必须保持成功的秒数',
    queue: '软连接被其他部署占用时排队等待',
  },
} as const;
