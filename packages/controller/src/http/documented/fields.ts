import { languages, type ProjectLanguage, parseLanguage } from '@sampan/shared/languages.ts';
import { artifactKind, FILENAME_RULE, isName, MAX_NAME_LENGTH, NAME_RULE } from '@sampan/shared/names.ts';
import { redactUrl } from '@sampan/shared/redact-url.ts';
import { z } from 'zod';
import { shown } from '../shown.ts';

/*
 * The fields of the documented requests. `error` is what a caller is told to send instead (validate-request.ts); `shown` is
 * how the OpenAPI document shows the field. For an optional field null means that it was not sent; for a required one it is an error.
 */

const name = z.string({ error: NAME_RULE }).refine(isName, { error: NAME_RULE });
const shownName = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', maxLength: MAX_NAME_LENGTH };

export const projectName = name.meta(shown({ ...shownName, description: '项目名', examples: ['mp-sre-platform'] }));
export const linkName = name.meta(shown({ ...shownName, description: '软连接名', examples: ['zeus'] }));

export const language = languageOf(languages);
/** Those whose programs supervisor runs. */
export const supervisedLanguage = languageOf(['java', 'golang']);

function languageOf(accepted: readonly ProjectLanguage[]) {
  const rule = `${accepted.join('、')} 之一`;
  return z
    .string({ error: rule })
    .transform((text, context) => {
      const parsed = parseLanguage(text);
      if (parsed && accepted.includes(parsed)) return parsed;
      context.addIssue({ code: 'custom', message: rule });
      return z.NEVER;
    })
    .meta(
      shown({
        type: 'string',
        enum: [...accepted],
        description: `项目语言: ${rule}, 不分大小写; go 即 golang`,
        examples: [accepted[0]],
      }),
    );
}

const ARTIFACT_RULE = `${FILENAME_RULE}, ${NAME_RULE}`;
export const artifactName = z
  .string({ error: ARTIFACT_RULE })
  .refine((text) => isName(text) && artifactKind(text) !== undefined, { error: ARTIFACT_RULE })
  .meta(shown({ type: 'string', description: '包的文件名; 去掉压缩包后缀即版本名', examples: ['zeus-0.1.1.tar.gz'] }));

/** A rollback also takes the version as get_current_version tells it, without an ending. */
export const rollbackName = name.meta(
  shown({
    type: 'string',
    description: '要回滚到的版本: 部署时的文件名, 或 get_current_version 返回的版本名',
    examples: ['zeus-0.1.1.tar.gz'],
  }),
);

const FILE_URL_RULE = 'http:// 或 https:// 地址, 最长 8192 个字符';
export const fileUrl = z
  .string({ error: FILE_URL_RULE })
  .trim()
  .superRefine((text, context) => {
    if (text.length <= 8192 && /^https?:$/.test(URL.parse(text)?.protocol ?? '')) return;
    const found = URL.canParse(text) ? redactUrl(text).slice(0, 200) : '无法解析的地址';
    context.addIssue({ code: 'custom', message: FILE_URL_RULE, params: { found } });
  })
  .meta(
    shown({
      type: 'string',
      description: '包的下载地址',
      examples: ['http://oss.example.com/mp-sre-devops/zeus-0.1.1.tar.gz'],
    }),
  );

const SHA256_RULE = '64 个十六进制字符';
export const sha256 = z
  .string({ error: SHA256_RULE })
  .regex(/^[0-9A-Fa-f]{64}$/, { error: SHA256_RULE })
  .toLowerCase()
  .nullish()
  .transform((text) => text ?? '')
  .meta(
    shown({
      type: 'string',
      pattern: '^[0-9A-Fa-f]{64}$',
      description: '包的 sha256; 传了就校验',
      examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    }),
  );

/** Optional; empty like absent, since templates of callers leave it so. */
export const filenameDelete = z
  .union([z.literal(''), name], { error: NAME_RULE })
  .nullish()
  .transform((text) => text ?? '')
  .meta(shown({ type: 'string', description: '部署成功后要删除的旧包文件名', examples: ['zeus-0.1.0.tar.gz'] }));

/** Read for golang alone (deploy-target.ts): the documented php and java calls send it too. */
export const deployDir = z
  .unknown()
  .optional()
  .meta(
    shown({
      type: 'string',
      description: '部署目录, 仅用于 golang (必传): /opt/profile 传 profile',
      examples: ['profile'],
    }),
  );

/** For logs: agents may be configured to keep those of golang by directory. */
export const logDeployDir = z
  .union([z.literal(''), name], { error: NAME_RULE })
  .nullish()
  .transform((text) => text ?? '')
  .meta(shown({ type: 'string', description: '部署目录, 仅用于 golang, 可不传', examples: ['profile'] }));

const FLAG_RULE = 'true 或 false';
const FLAGS = new Map<unknown, boolean>([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

function flag(fallback: boolean) {
  return z
    .union([z.boolean(), z.string(), z.number()], { error: FLAG_RULE })
    .transform((value, context) => {
      const parsed = FLAGS.get(String(value).toLowerCase());
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: FLAG_RULE });
      return z.NEVER;
    })
    .nullish()
    .transform((value) => value ?? fallback);
}

export const isRestart = flag(false).meta(
  shown({
    type: 'boolean',
    default: false,
    description: '是否重启, 用于 java 和 golang, 默认不重启; php 忽略. 也接受 "true"、"False"、1、0',
    examples: [false],
  }),
);
export const autoRollback = flag(true).meta(
  shown({
    type: 'boolean',
    default: true,
    description: '切换之后出错时是否自动恢复到原版本, 默认恢复',
    examples: [true],
  }),
);

const LOG_NAMES = ['info.log', 'warning.log', 'error.log'] as const;
const LOG_NAME_RULE = `${LOG_NAMES.join('、')} 之一`;
export const logName = z
  .enum(LOG_NAMES, { error: LOG_NAME_RULE })
  .meta(shown({ type: 'string', enum: LOG_NAMES, description: '日志文件名', examples: ['info.log'] }));

const LINE_RULE = '1 到 999 的整数';
export const line = z
  .union([z.number(), z.string()], { error: LINE_RULE })
  .transform((value, context) => {
    const text = String(value).trim();
    if (/^\d{1,3}$/.test(text) && Number(text) >= 1) return Number(text);
    context.addIssue({ code: 'custom', message: LINE_RULE });
    return z.NEVER;
  })
  .meta(shown({ type: 'integer', minimum: 1, maximum: 999, description: '要查看的行数', examples: [12] }));

const OS_SYSTEMS = ['centos', 'ubuntu'] as const;
const OS_RULE = OS_SYSTEMS.join(' 或 ');
export const osSystem = z
  .union([z.literal(''), z.string().toLowerCase().pipe(z.enum(OS_SYSTEMS))], { error: OS_RULE })
  .nullish()
  .transform((text) => text ?? '')
  .meta(shown({ type: 'string', enum: OS_SYSTEMS, description: '主机的系统; 不传则由主机决定', examples: ['centos'] }));

const MAX_CONFIG_BYTES = 64 * 1024;
const CONFIG_RULE = `不为空且不超过 ${MAX_CONFIG_BYTES} 字节的文本`;
export const superconfContent = z
  .string({ error: CONFIG_RULE })
  .superRefine((text, context) => {
    const bytes = Buffer.byteLength(text);
    if (text.trim() !== '' && bytes <= MAX_CONFIG_BYTES) return;
    const found = text.trim() === '' ? '空文本' : `${bytes} 字节`;
    context.addIssue({ code: 'custom', message: CONFIG_RULE, params: { found } });
  })
  .meta(
    shown({
      type: 'string',
      description: 'supervisor 的配置文件内容',
      examples: ['[program:mp-sre-platform]\ncommand=java -jar /opt/service/zeus\n'],
    }),
  );

/** Whether the hosts are to restart the program: php has none. */
export function restarts(body: { language: ProjectLanguage; is_restart: boolean }): boolean {
  return body.is_restart && body.language !== 'php';
}
