import { errorText } from '@sampan/shared/error-text.ts';
import { enTexts } from '@sampan/shared/error-texts.en.ts';
import { zhTexts } from '@sampan/shared/error-texts.zh.ts';
import { DeployError, type EntryRefusal, type ErrorCode, type ErrorParams } from '@sampan/shared/errors.ts';
import { describe, expect, it } from 'vitest';

interface Row<C extends ErrorCode> {
  params: ErrorParams[C];
  zh: string;
  en: string;
}

/** Every error code, with the exact sentence that callers of the documented API get, and the English one. */
const table: { [C in ErrorCode]: Row<C> } = {
  INVALID_REQUEST: {
    params: { field: 'language', found: '"ruby"', expected: 'php、java、golang 之一' },
    zh: '参数错误: language 收到 "ruby", 应为 php、java、golang 之一',
    en: 'bad request: language is "ruby", expected php、java、golang 之一',
  },
  REQUEST_TOO_LARGE: {
    params: { maxBytes: 1_048_576 },
    zh: '请求体过大: 最大 1 MiB',
    en: 'request too large: at most 1 MiB',
  },
  ROUTE_NOT_FOUND: {
    params: { method: 'GET', path: '/x' },
    zh: '接口不存在: GET /x',
    en: 'no such route: GET /x',
  },
  METHOD_NOT_ALLOWED: {
    params: { method: 'GET', path: '/deploy', allowed: 'POST' },
    zh: '请求方式错误: /deploy 收到 GET, 应为 POST',
    en: 'wrong method: /deploy got GET, expected POST',
  },
  ORIGIN_FORBIDDEN: {
    params: { origin: 'http://evil.example', host: '127.0.0.1:8080' },
    zh: '拒绝访问: Origin 收到 http://evil.example, 应为 127.0.0.1:8080 的页面',
    en: 'forbidden: Origin is http://evil.example, expected a page of 127.0.0.1:8080',
  },
  HOST_FORBIDDEN: {
    params: { host: 'evil.example' },
    zh: '拒绝访问: Host 收到 evil.example, 应为 IP 地址、localhost 或配置 public_hosts 中的名称',
    en: 'forbidden: Host is evil.example, expected an IP address, localhost, or a name listed in public_hosts',
  },
  CLIENT_FORBIDDEN: {
    params: { address: '10.0.0.9' },
    zh: '拒绝访问: 客户端地址 10.0.0.9 不在配置 auth.allow_ips 之内',
    en: 'forbidden: the client 10.0.0.9 is not in auth.allow_ips',
  },
  TOKEN_MISSING: {
    params: {},
    zh: '缺少 token: 请放在请求头 Authorization: Bearer 或 APP_TOKEN 中',
    en: 'a token is missing: send it as Authorization: Bearer, or as APP_TOKEN',
  },
  TOKEN_INVALID: {
    params: {},
    zh: 'token 无效: 不存在或已被吊销',
    en: 'the token is not valid: there is none such, or it was revoked',
  },
  TOKEN_EXPIRED: {
    params: { at: '2026-11-22T17:40:00.000Z' },
    zh: 'token 已过期: 有效期到 2026-11-22T17:40:00.000Z',
    en: 'the token has expired: it was valid until 2026-11-22T17:40:00.000Z',
  },
  SCOPE_MISSING: {
    params: { scope: 'deploy', granted: 'read, config-write' },
    zh: 'token 权限不足: 需要 deploy, 只有 read, config-write',
    en: 'the token may not do this: it needs deploy, and has read, config-write',
  },
  PROJECT_FORBIDDEN: {
    params: { project: 'shop', allowed: 'wiki, blog' },
    zh: 'token 权限不足: 只能用于项目 wiki, blog, 请求的是 shop',
    en: 'the token is for the projects wiki, blog only, and this is about shop',
  },
  TOO_MANY_FAILURES: {
    params: { seconds: 42 },
    zh: '认证失败次数过多: 请在 42 秒后重试',
    en: 'too many failures to authenticate: try again in 42 s',
  },
  ROUTE_CLOSED: {
    params: {},
    zh: '拒绝访问: 未启用 token (auth.tokens: off), 只开放五个部署接口',
    en: 'forbidden: there are no tokens (auth.tokens: off), so only the five documented endpoints are open',
  },
  AGENT_UNREACHABLE: {
    params: { reason: 'ECONNREFUSED 10.0.0.3:7410' },
    zh: 'Agent连接失败: ECONNREFUSED 10.0.0.3:7410',
    en: 'cannot connect to the agent: ECONNREFUSED 10.0.0.3:7410',
  },
  AGENT_CONNECT_TIMEOUT: {
    params: { seconds: 5 },
    zh: 'Agent连接超时: 5 秒内没有应答',
    en: 'cannot connect to the agent: no answer within 5 s',
  },
  AGENT_UNAUTHENTICATED: {
    params: { reason: 'certificate expired' },
    zh: 'Agent认证失败: certificate expired',
    en: 'the agent refused us: certificate expired',
  },
  CERTIFICATE_REFUSED: {
    params: { whose: 'agent', fault: 'other_host', detail: 'IP Address:10.0.0.4' },
    zh: 'Agent认证失败: Agent证书属于另一台主机 (IP Address:10.0.0.4)',
    en: "the agent's certificate was refused: it belongs to another host (IP Address:10.0.0.4)",
  },
  IDENTITY_MISSING: {
    params: { host: '10.0.0.3' },
    zh: 'Agent认证失败: 控制端没有证书, 不能连接其他主机 10.0.0.3, 请运行 sampan-controller init',
    en: 'the controller has no certificates, so it speaks to no other machine than its own, not to 10.0.0.3: run sampan-controller init',
  },
  JOIN_REFUSED: {
    params: { fault: 'used' },
    zh: '加入失败: 令牌已经用过, 请用 sampan-controller join-token 生成新的',
    en: 'cannot join: the token has been used; make a new one with sampan-controller join-token',
  },
  AGENT_UNSUPPORTED: {
    params: { method: 'Stage' },
    zh: 'Agent版本过旧: 不支持 Stage, 请升级该主机的 Agent',
    en: 'the agent is too old for Stage; upgrade it',
  },
  AGENT_BUSY: {
    params: { operations: 2 },
    zh: 'Agent正在执行 2 个部署, 请等它们结束后重试',
    en: 'the agent works on 2 deploys; try again when they have ended',
  },
  UPGRADE_UNAVAILABLE: {
    params: { reason: 'it was not installed from its package' },
    zh: 'Agent不能自行升级: it was not installed from its package',
    en: 'the agent cannot upgrade itself: it was not installed from its package',
  },
  UPGRADE_REFUSED: {
    params: { reason: 'no VERSION in it' },
    zh: 'Agent拒绝了升级包: no VERSION in it',
    en: 'the agent refused the package: no VERSION in it',
  },
  AGENT_LOST: {
    params: { reason: 'ECONNREFUSED 10.0.0.3:7410' },
    zh: 'Agent连接中断: ECONNREFUSED 10.0.0.3:7410, 软连接未切换',
    en: 'lost the agent: ECONNREFUSED 10.0.0.3:7410; the link was not flipped',
  },
  AGENT_DRAINING: {
    params: {},
    zh: 'Agent正在停止, 软连接未切换',
    en: 'the agent is stopping; the link was not flipped',
  },
  CONTROLLER_DRAINING: {
    params: {},
    zh: '服务正在停止, 不接受新的请求',
    en: 'the controller is stopping and takes no new request',
  },
  STORE_UNWRITABLE: {
    params: { reason: 'database or disk is full' },
    zh: '无法写入操作记录: database or disk is full; 操作没有开始, 所有主机保持不变',
    en: 'cannot write down the operation: database or disk is full; it was not begun, no host was touched',
  },
  STATE_UNKNOWN: {
    params: { known: 'UNAVAILABLE', step: 'flip', current: 'zeus-0.1.1' },
    zh: '状态未知: UNAVAILABLE, 最后收到的步骤 flip, 当前版本 zeus-0.1.1',
    en: 'state unknown: UNAVAILABLE; the last step heard of is flip; current is zeus-0.1.1',
  },
  DEADLINE_EXCEEDED: {
    params: { seconds: 1800 },
    zh: '部署超时: 1800 秒内未完成',
    en: 'not done within 1800 s',
  },
  ROLLOUT_STOPPED: {
    params: { cause: 'failures', failed: 2, allowed: 1 },
    zh: '未执行: 2 台主机失败, 最多允许 1 台, 软连接未切换',
    en: 'not begun: 2 hosts failed, and at most 1 may; the link was not flipped',
  },
  WENT_BACK: {
    params: { cause: 'cancelled', failed: 0, allowed: 0 },
    zh: '已随其他主机撤销: 部署已取消',
    en: 'taken back with the others: the rollout was cancelled',
  },
  ROLLOUT_NOT_FOUND: { params: { id: 'x' }, zh: '没有这次部署: x', en: 'there is no rollout x' },
  ROLLOUT_STATE: {
    params: { state: 'succeeded', request: 'cancel' },
    zh: '部署状态为 succeeded, 不能 cancel',
    en: 'cannot cancel a rollout that is succeeded',
  },
  IDEMPOTENCY_MISMATCH: {
    params: { id: 'x' },
    zh: 'Idempotency-Key 已用于另一个请求, 即部署 x',
    en: 'this Idempotency-Key came before with another request, which is rollout x',
  },
  OPERATION_CANCELLED: {
    params: {},
    zh: '操作已取消, 软连接未切换',
    en: 'cancelled; the link was not flipped',
  },
  OPERATION_INTERRUPTED: {
    params: { phase: 'stage' },
    zh: '操作被中断: Agent在 stage 阶段重启',
    en: 'interrupted: the agent restarted during stage',
  },
  OPERATION_UNKNOWN: {
    params: { operationId: 'op-1' },
    zh: '状态未知: Agent没有操作 op-1 的记录',
    en: 'state unknown: the agent has no record of operation op-1',
  },
  DOWNLOAD_HTTP_STATUS: {
    params: { status: 404 },
    zh: '下载文件失败: HTTP 404',
    en: 'download failed: HTTP 404',
  },
  DOWNLOAD_CONNECTION: {
    params: { origin: 'http://oss.example', reason: 'ECONNRESET' },
    zh: '下载文件失败: 无法从 http://oss.example 读取 (ECONNRESET)',
    en: 'download failed: cannot read from http://oss.example (ECONNRESET)',
  },
  DOWNLOAD_TIMEOUT: {
    params: { seconds: 30, bytes: 1536 },
    zh: '下载文件失败: 30 秒内未完成, 已收到 1.5 KiB',
    en: 'download failed: not done within 30 s, got 1.5 KiB',
  },
  DOWNLOAD_TRUNCATED: {
    params: { found: 10, expected: 20 },
    zh: '下载文件失败: 文件不完整, 收到 10 字节, 应为 20 字节',
    en: 'download failed: truncated, got 10 bytes of 20',
  },
  DOWNLOAD_CHANGED: {
    params: { found: '"b"', expected: '"a"' },
    zh: '下载文件失败: 下载过程中文件发生变化, ETag 为 "b", 应为 "a"',
    en: 'download failed: the file changed meanwhile, ETag "b", expected "a"',
  },
  DOWNLOAD_NOT_ALLOWED: {
    params: { origin: 'http://evil.example' },
    zh: '下载文件失败: 不允许从 http://evil.example 下载 (download.allow)',
    en: 'download failed: http://evil.example is not in download.allow',
  },
  DOWNLOAD_REDIRECTS: {
    params: { max: 5 },
    zh: '下载文件失败: 重定向超过 5 次',
    en: 'download failed: more than 5 redirects',
  },
  DOWNLOAD_LIMIT: {
    params: { max: 10 * 1024 ** 3 },
    zh: '下载文件失败: 文件超过 10 GiB (download.max_bytes)',
    en: 'download failed: larger than 10 GiB (download.max_bytes)',
  },
  CHECKSUM_MISMATCH: {
    params: { algorithm: 'sha256', found: 'aa', expected: 'bb' },
    zh: '文件校验失败: sha256 为 aa, 应为 bb',
    en: 'checksum mismatch: sha256 is aa, expected bb',
  },
  ARCHIVE_CORRUPT: {
    params: { reason: 'bad checksum' },
    zh: '解压文件失败: 压缩包损坏 (bad checksum)',
    en: 'unpacking failed: the archive is corrupt (bad checksum)',
  },
  ARCHIVE_ENTRY_REFUSED: {
    params: { entry: '../x', reason: 'path_outside' },
    zh: '解压文件失败: 拒绝条目 ../x: 路径在发布目录之外',
    en: 'unpacking failed: entry ../x refused: path outside the release',
  },
  ARCHIVE_LIMIT: {
    params: { limit: 'unpack.max_depth', max: 64, entry: 'a/b' },
    zh: '解压文件失败: 超过限制 unpack.max_depth = 64 (条目 a/b)',
    en: 'unpacking failed: over the limit unpack.max_depth = 64 (entry a/b)',
  },
  DISK_FULL: {
    params: { path: '/opt/service', neededBytes: 2048, freeBytes: 1024 },
    zh: '磁盘空间不足: /opt/service 需要 2 KiB, 剩余 1 KiB',
    en: 'disk full: /opt/service needs 2 KiB, has 1 KiB',
  },
  INODES_EXHAUSTED: {
    params: { path: '/opt/service' },
    zh: '磁盘 inode 不足: /opt/service',
    en: 'out of inodes: /opt/service',
  },
  DISK_ERROR: {
    params: { path: '/opt/service', operation: 'fsync', reason: 'EIO' },
    zh: '磁盘错误: fsync /opt/service (EIO)',
    en: 'disk error: fsync /opt/service (EIO)',
  },
  LINK_HELD: {
    params: { project: 'shop', release: 'zeus-0.1.1', operationId: 'op-1', since: '2026-11-22T14:00:00Z' },
    zh: '软连接被占用: 项目 shop 正在操作 zeus-0.1.1 (op-1, 开始于 2026-11-22T14:00:00Z)',
    en: 'the link is held: shop works on zeus-0.1.1 (op-1, since 2026-11-22T14:00:00Z)',
  },
  COMMAND_OUTDATED: {
    params: { number: 7, obeyed: 8, operationId: 'op-8' },
    zh: '命令已过期: 锁已转给操作 op-8 (编号 7, 已执行 8), 软连接未切换',
    en: 'out of date: the lock has passed to operation op-8 (fence 7, obeyed is 8); the link was not flipped',
  },
  BASE_HELD: {
    params: { base: '/opt/service', holder: 'pid 4711' },
    zh: '目录 /opt/service 被另一个Agent占用 (pid 4711), 一个目录只能由一个Agent管理',
    en: 'another agent works on /opt/service (pid 4711); a base belongs to one agent',
  },
  LINK_MOVED: {
    params: { link: '/opt/service/zeus', found: '.deploy/b', expected: '.deploy/a' },
    zh: '软连接 /opt/service/zeus 在部署期间被改动: 指向 .deploy/b, 应为 .deploy/a',
    en: 'link /opt/service/zeus was changed meanwhile: points at .deploy/b, expected .deploy/a',
  },
  LINK_NOT_A_SYMLINK: {
    params: { link: '/opt/service/zeus' },
    zh: '/opt/service/zeus 已存在且不是软连接, 请先移走',
    en: '/opt/service/zeus exists and is not a symlink; move it away first',
  },
  NOT_DEPLOYED: {
    params: { link: '/opt/service/zeus' },
    zh: '没有部署过: 软连接 /opt/service/zeus 不存在',
    en: 'never deployed: there is no link /opt/service/zeus',
  },
  RELEASE_MISSING: {
    params: { link: '/opt/service/zeus', target: '.deploy/a' },
    zh: '软连接 /opt/service/zeus 指向的版本 .deploy/a 不存在',
    en: 'link /opt/service/zeus points at .deploy/a, which does not exist',
  },
  RELEASE_NOT_FOUND: {
    params: { version: 'zeus-0.0.9', available: 'zeus-0.1.0, zeus-0.1.1' },
    zh: '目标版本不存在: zeus-0.0.9, 可回滚的版本: zeus-0.1.0, zeus-0.1.1',
    en: 'no such release: zeus-0.0.9; there are: zeus-0.1.0, zeus-0.1.1',
  },
  RELEASE_CHANGED: {
    params: { release: 'zeus-0.1.0', difference: 'src/app.php is missing' },
    zh: '版本 zeus-0.1.0 部署后被改动: src/app.php is missing, 请重新部署该版本',
    en: 'release zeus-0.1.0 was changed since it was deployed: src/app.php is missing; deploy it again',
  },
  OLD_RELEASE_REFUSED: {
    params: { release: 'zeus-0.1.0', reason: 'differs', detail: 'src/app.php is missing' },
    zh: '目标版本不可用: zeus-0.1.0 由旧服务部署, 与压缩包不一致: src/app.php is missing, 请重新部署该版本',
    en: 'release zeus-0.1.0 of the old service cannot be used: it is not what its archive holds: src/app.php is missing; deploy it again',
  },
  HOOK_FAILED: {
    params: { hook: 'pre_activate', ending: 'exit 3', output: 'boom' },
    zh: '钩子执行失败: pre_activate exit 3, 输出: boom',
    en: 'hook pre_activate failed: exit 3, output: boom',
  },
  RELOAD_FAILED: {
    params: { ending: 'exit 1', output: '' },
    zh: '服务重载失败: exit 1',
    en: 'reload failed: exit 1',
  },
  SUPERVISOR_UNAVAILABLE: {
    params: { reason: 'ENOENT' },
    zh: 'supervisor不可用: ENOENT',
    en: 'supervisor does not answer: ENOENT',
  },
  PROGRAM_UNKNOWN: {
    params: { program: 'zeus' },
    zh: '服务重启失败: supervisor中没有程序 zeus, 请先调用 init_deploy',
    en: 'restart failed: supervisor has no program zeus; call init_deploy first',
  },
  PROGRAM_CONFIG_REFUSED: {
    params: { where: '[program:x] numprocs', found: '5000', expected: '1 to 64' },
    zh: 'supervisor配置有误: [program:x] numprocs 为 5000, 应为 1 to 64',
    en: 'supervisor config refused: [program:x] numprocs is 5000, expected 1 to 64',
  },
  PROGRAM_CONFIG_REJECTED: {
    params: { reason: 'CANT_REREAD' },
    zh: 'supervisor不接受该配置, 已恢复原文件: CANT_REREAD',
    en: 'supervisor rejected the config, the old file is back: CANT_REREAD',
  },
  OS_MISMATCH: {
    params: { found: 'centos', expected: 'debian' },
    zh: 'os_system与主机不符: 收到 centos, 主机为 debian',
    en: 'os_system is centos, but the host is debian',
  },
  RESTART_FAILED: {
    params: { program: 'zeus', state: 'FATAL', output: 'cannot find main class' },
    zh: '服务重启失败: zeus 状态为 FATAL, 输出: cannot find main class',
    en: 'restart failed: zeus is FATAL, output: cannot find main class',
  },
  HEALTH_CHECK_FAILED: {
    params: {
      check: 'http http://127.0.0.1:80/',
      attempts: 3,
      found: 'status 500',
      expected: 'a status of 200 to 399',
    },
    zh: '健康检查失败: http http://127.0.0.1:80/ 得到 status 500, 应为 a status of 200 to 399 (共 3 次)',
    en: 'health check failed: http http://127.0.0.1:80/ gave status 500, expected a status of 200 to 399 (3 attempts)',
  },
  PROGRAM_RUNS_OTHER_RELEASE: {
    params: { program: 'zeus', found: '/opt/service/.deploy/a', expected: '/opt/service/.deploy/b' },
    zh: '服务重启失败: zeus 运行的是 /opt/service/.deploy/a, 应为 /opt/service/.deploy/b',
    en: 'restart failed: zeus runs /opt/service/.deploy/a, expected /opt/service/.deploy/b',
  },
  LOG_NOT_FOUND: {
    params: { path: '/opt/log/shop/info.log' },
    zh: '日志文件不存在: /opt/log/shop/info.log',
    en: 'no such log file: /opt/log/shop/info.log',
  },
  LOG_REFUSED: {
    params: { path: '/opt/log/shop/info.log', found: 'FIFO' },
    zh: '不能读取日志 /opt/log/shop/info.log: 是FIFO, 应为普通文件',
    en: 'cannot read /opt/log/shop/info.log: it is FIFO, expected a regular file',
  },
  INTERNAL: {
    params: {},
    zh: '内部错误, 详情见日志',
    en: 'internal error, see the log',
  },
};

/** The same codes where their facts are other, or fewer. */
const variants: { error: DeployError; zh: string; en: string }[] = [
  variant('INVALID_REQUEST', { field: 'filename', found: '', expected: '文件名' }, [
    '参数错误: 缺少 filename, 应为 文件名',
    'bad request: filename is missing, expected 文件名',
  ]),
  variant('STATE_UNKNOWN', { known: 'EIO' }, ['状态未知: EIO', 'state unknown: EIO']),
  variant('DOWNLOAD_HTTP_STATUS', { status: 502, proxy: 'http://cache:3128' }, [
    '下载文件失败: HTTP 502, 经代理 http://cache:3128 (download.proxy)',
    'download failed: HTTP 502, through the proxy http://cache:3128 (download.proxy)',
  ]),
  variant('DOWNLOAD_CONNECTION', { origin: 'http://oss.example', reason: 'ECONNREFUSED', proxy: 'http://cache:3128' }, [
    '下载文件失败: 无法从 http://oss.example 读取 (ECONNREFUSED), 经代理 http://cache:3128 (download.proxy)',
    'download failed: cannot read from http://oss.example (ECONNREFUSED), through the proxy http://cache:3128 (download.proxy)',
  ]),
  variant('DOWNLOAD_TIMEOUT', { seconds: 30, bytes: 1536, proxy: 'http://cache:3128' }, [
    '下载文件失败: 30 秒内未完成, 已收到 1.5 KiB, 经代理 http://cache:3128 (download.proxy)',
    'download failed: not done within 30 s, got 1.5 KiB, through the proxy http://cache:3128 (download.proxy)',
  ]),
  variant('DOWNLOAD_TRUNCATED', { found: 10, expected: 20, proxy: 'http://cache:3128' }, [
    '下载文件失败: 文件不完整, 收到 10 字节, 应为 20 字节, 经代理 http://cache:3128 (download.proxy)',
    'download failed: truncated, got 10 bytes of 20, through the proxy http://cache:3128 (download.proxy)',
  ]),
  variant('ARCHIVE_LIMIT', { limit: 'unpack.max_ratio', max: 1000 }, [
    '解压文件失败: 超过限制 unpack.max_ratio = 1000',
    'unpacking failed: over the limit unpack.max_ratio = 1000',
  ]),
  variant('DISK_FULL', { path: '/opt' }, ['磁盘空间不足: /opt', 'disk full: /opt']),
  variant('RELEASE_NOT_FOUND', { version: 'a', available: '' }, [
    '目标版本不存在: a, 没有可回滚的版本',
    'no such release: a; there is none to go back to',
  ]),
  ...refusedEntry('path_absolute', '绝对路径', 'absolute path'),
  ...refusedEntry('path_invalid', '路径无效', 'invalid path'),
  ...refusedEntry('path_through_link', '路径经过软连接', 'path leads through a link'),
  ...refusedEntry('link_outside', '软连接指向发布目录之外', 'link points outside the release'),
  ...refusedEntry(
    'link_absolute',
    '软连接指向绝对路径, 不在 allow_links_to 之内',
    'link points at an absolute path that allow_links_to does not list',
  ),
  ...refusedEntry('type', '不支持的类型', 'unsupported type'),
];

function variant<C extends ErrorCode>(code: C, params: ErrorParams[C], [zh, en]: [string, string]) {
  return { error: new DeployError<ErrorCode>(code, params), zh, en };
}

function refusedEntry(reason: EntryRefusal, zh: string, en: string) {
  return [
    variant('ARCHIVE_ENTRY_REFUSED', { entry: 'e', reason, detail: 'd' }, [
      `解压文件失败: 拒绝条目 e: ${zh} (d)`,
      `unpacking failed: entry e refused: ${en} (d)`,
    ]),
  ];
}

const rows = Object.entries(table) as [ErrorCode, Row<ErrorCode>][];

describe('error texts', () => {
  it.each(rows)('%s reads as the table says', (code, { params, zh, en }) => {
    const error = new DeployError(code, params);
    expect({ zh: errorText(error, 'zh'), en: errorText(error, 'en') }).toEqual({ zh, en });
  });

  it.each(variants)('$error.message reads as the table says', ({ error, zh, en }) => {
    expect({ zh: errorText(error, 'zh'), en: errorText(error, 'en') }).toEqual({ zh, en });
  });

  it('has one row for each code of either language, and no other', () => {
    const codes = Object.keys(table).sort();
    expect(Object.keys(zhTexts).sort()).toEqual(codes);
    expect(Object.keys(enTexts).sort()).toEqual(codes);
  });

  it('says after a failure past the flip what is current now', () => {
    const failed = new DeployError('RESTART_FAILED', { program: 'zeus', state: 'FATAL', output: '' });
    const texts = (error: DeployError) => [errorText(error, 'zh'), errorText(error, 'en')];
    expect(texts(failed.withAftermath({ current: 'zeus-1', reverted: true }))).toEqual([
      '服务重启失败: zeus 状态为 FATAL; 已恢复到原版本, 当前版本 zeus-1',
      'restart failed: zeus is FATAL; went back, current is zeus-1',
    ]);
    expect(texts(failed.withAftermath({ current: null, reverted: false }))).toEqual([
      '服务重启失败: zeus 状态为 FATAL; 未恢复, 当前没有版本',
      'restart failed: zeus is FATAL; did not go back, nothing is current',
    ]);
    const revertError = { code: 'SUPERVISOR_UNAVAILABLE', params: { reason: 'ENOENT' } };
    expect(texts(failed.withAftermath({ current: 'zeus-2', reverted: false, revertError }))).toEqual([
      '服务重启失败: zeus 状态为 FATAL; 未恢复, 当前版本 zeus-2, 恢复时出错: supervisor不可用: ENOENT',
      'restart failed: zeus is FATAL; did not go back, current is zeus-2, going back failed: supervisor does not answer: ENOENT',
    ]);
  });

  it('tells nothing of an error that nobody foresaw', () => {
    const error = new TypeError('x is undefined');
    expect([errorText(error, 'zh'), errorText(error, 'en')]).toEqual([
      '内部错误, 详情见日志',
      'internal error, see the log',
    ]);
  });
});
