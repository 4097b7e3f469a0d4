import { languages, parseLanguage } from '@sampan/shared/languages.ts';
import { artifactKind, isName, MAX_NAME_LENGTH } from '@sampan/shared/names.ts';
import { redactUrl } from '@sampan/shared/redact-url.ts';
import { z } from 'zod';
import { parseAgentAddress } from '../../agents/agent-address.ts';
import type { Host, Target } from '../../rollout/rollout-plan.ts';
import { MAX_HOSTS } from '../limits.ts';
import { shown } from '../shown.ts';

/*
 * The fields of /v1, strict and in English. `error` is what a caller is told to send instead.
 */

const NAME = `letters, digits and . _ - (at most ${MAX_NAME_LENGTH}), beginning with a letter or digit`;
const shownName = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', maxLength: MAX_NAME_LENGTH };

export const name = z.string({ error: NAME }).refine(isName, { error: NAME }).meta(shown(shownName));

const LANGUAGE = `one of ${languages.join(', ')}`;
export const language = z
  .string({ error: LANGUAGE })
  .transform((text, context) => {
    const parsed = parseLanguage(text);
    if (parsed) return parsed;
    context.addIssue({ code: 'custom', message: LANGUAGE });
    return z.NEVER;
  })
  .meta(shown({ type: 'string', enum: [...languages] }));

const FILENAME = 'a name that ends in .tar.gz, .tgz, .tar, .jar or .war';
export const filename = z
  .string({ error: FILENAME })
  .refine((text) => isName(text) && artifactKind(text) !== undefined, { error: FILENAME })
  .meta(shown({ type: 'string', examples: ['zeus-0.1.1.tar.gz'] }));

const FILE_URL = 'an http:// or https:// URL of at most 8192 characters';
export const fileUrl = z
  .string({ error: FILE_URL })
  .superRefine((text, context) => {
    if (text.length <= 8192 && /^https?:$/.test(URL.parse(text)?.protocol ?? '')) return;
    const found = URL.canParse(text) ? redactUrl(text).slice(0, 200) : 'no URL';
    context.addIssue({ code: 'custom', message: FILE_URL, params: { found } });
  })
  .meta(shown({ type: 'string', format: 'uri' }));

const SHA256 = '64 hex digits';
export const sha256 = z
  .string({ error: SHA256 })
  .regex(/^[0-9A-Fa-f]{64}$/, { error: SHA256 })
  .toLowerCase()
  .optional()
  .transform((text) => text ?? '')
  .meta(shown({ type: 'string', pattern: '^[0-9A-Fa-f]{64}$' }));

export const flag = (fallback: boolean) =>
  z
    .boolean({ error: 'true or false' })
    .default(fallback)
    .meta(shown({ type: 'boolean', default: fallback }));

/** A whole number as a query string brings it; `rule` says which. */
export const queryNumber = (rule: string, { min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number }) =>
  z.coerce.number({ error: rule }).int({ error: rule }).min(min, { error: rule }).max(max, { error: rule });

export const deployDir = name.optional().meta(shown({ ...shownName, description: 'golang only, and required there' }));

const HOST = 'an IP address, a name, host:port, or [IPv6]:port';
const HOSTS = `a list of 1 to ${MAX_HOSTS} hosts`;
const SHOWN_HOSTS = shown({
  type: 'array',
  items: { type: 'string' },
  minItems: 1,
  maxItems: MAX_HOSTS,
  description: HOST,
});

/** A list of hosts; one that is named twice counts once. */
export function hosts(defaultPort: number) {
  return z
    .array(z.string({ error: HOST }), { error: HOSTS })
    .min(1, { error: HOSTS })
    .max(MAX_HOSTS, { error: HOSTS })
    .transform((names, context) => parseHosts(names, context, defaultPort))
    .meta(SHOWN_HOSTS);
}

/** The same as a query string brings it: with commas, or several times. */
export function hostsOfQuery(defaultPort: number) {
  return z
    .union([z.string(), z.array(z.string())], { error: HOSTS })
    .transform((value) => [value].flat().flatMap((text) => text.split(',')))
    .pipe(hosts(defaultPort))
    .meta(SHOWN_HOSTS);
}

function parseHosts(names: readonly string[], context: z.RefinementCtx, defaultPort: number): Host[] {
  const found = new Map<string, Host>();
  for (const [index, text] of names.entries()) {
    const host = text.trim();
    const address = parseAgentAddress(host, defaultPort);
    if (!address) {
      context.addIssue({ code: 'custom', message: HOST, path: [index], input: text });
      return z.NEVER;
    }
    found.set(host, { name: host, address });
  }
  return [...found.values()];
}

/** The fields that say which link of which project is meant. */
export const targetFields = { project_name: name, link_name: name, language, deploy_dir: deployDir };

/** A query that asks hosts about one link. */
export function linkQuery(agentPort: number) {
  return z
    .strictObject({ ...targetFields, hosts: hostsOfQuery(agentPort) })
    .transform((query, context) => ({ hosts: query.hosts, target: targetOf(query, context) }));
}

/** The link that they mean. `deploy_dir` is for golang, and refused for others. */
export function targetOf(fields: z.output<z.ZodObject<typeof targetFields>>, context: z.RefinementCtx): Target {
  const { project_name: projectName, link_name: linkName, language: found, deploy_dir } = fields;
  const isGolang = found === 'golang';
  if (isGolang !== (deploy_dir !== undefined)) {
    const message = isGolang ? NAME : 'nothing: it is for golang alone';
    context.addIssue({ code: 'custom', message, path: ['deploy_dir'], input: deploy_dir });
    return z.NEVER;
  }
  return { projectName, linkName, language: found, deployDir: deploy_dir ?? '' };
}
