import type { Aftermath, CertificateFault, EntryRefusal, ErrorCode, ErrorParams, OldReleaseRefusal } from './errors.ts';
import { formatBytes } from './format-bytes.ts';

/** The Chinese text of every code, as callers of the documented API read it. Documented words come first. */
export const zhTexts: { [C in ErrorCode]: (params: ErrorParams[C]) => string } = {
  INVALID_REQUEST: ({ field, found, expected }) =>
    found === '' ? `参数错误: 缺少 ${field}, 应为 ${expected}` : `参数错误: ${field} 收到 ${found}, 应为 ${expected}`,
  REQUEST_TOO_LARGE: ({ maxBytes }) => `请求体过大: 最大 ${formatBytes(maxBytes)}`,
  ROUTE_NOT_FOUND: ({ method, path }) => `接口不存在: ${method} ${path}`,
  METHOD_NOT_ALLOWED: ({ method, path, allowed }) => `请求方式错误: ${path} 收到 ${method}, 应为 ${allowed}`,
  ORIGIN_FORBIDDEN: ({ origin, host }) => `拒绝访问: Origin 收到 ${origin}, 应为 ${host} 的页面`,
  HOST_FORBIDDEN: ({ host }) => `拒绝访问: Host 收到 ${host}, 应为 IP 地址、localhost 或配置 public_hosts 中的名称`,
  CLIENT_FORBIDDEN: ({ address }) => `拒绝访问: 客户端地址 ${address} 不在配置 auth.allow_ips 之内`,
  TOKEN_MISSING: () => '缺少 token: 请放在请求头 Authorization: Bearer 或 APP_TOKEN 中',
  TOKEN_INVALID: () => 'token 无效: 不存在或已被吊销',
  TOKEN_EXPIRED: ({ at }) => `token 已过期: 有效期到 ${at}`,
  SCOPE_MISSING: ({ scope, granted }) => `token 权限不足: 需要 ${scope}, 只有 ${granted}`,
  PROJECT_FORBIDDEN: ({ project, allowed }) =>
    `token 权限不足: 只能用于项目 ${allowed}, ${project === '' ? '该接口不限于一个项目' : `请求的是 ${project}`}`,
  TOO_MANY_FAILURES: ({ seconds }) => `认证失败次数过多: 请在 ${seconds} 秒后重试`,
  ROUTE_CLOSED: () => '拒绝访问: 未启用 token (auth.tokens: off), 只开放五个部署接口',
  AGENT_UNREACHABLE: ({ reason }) => `Agent连接失败: ${reason}`,
  AGENT_CONNECT_TIMEOUT: ({ seconds }) => `Agent连接超时: ${seconds} 秒内没有应答`,
  AGENT_UNAUTHENTICATED: ({ reason }) => `Agent认证失败: ${reason}`,
  CERTIFICATE_REFUSED: ({ whose, fault, detail }) =>
    `Agent认证失败: ${whose === 'agent' ? 'Agent' : '控制端'}${certificateFaults[fault]}${detail ? ` (${detail})` : ''}`,
  IDENTITY_MISSING: ({ host }) =>
    `Agent认证失败: 控制端没有证书, 不能连接其他主机 ${host}, 请运行 sampan-controller init`,
  JOIN_REFUSED: ({ fault }) => `加入失败: ${joinFaults[fault]}`,
  AGENT_UNSUPPORTED: ({ method }) => `Agent版本过旧: 不支持 ${method}, 请升级该主机的 Agent`,
  AGENT_BUSY: ({ operations }) => `Agent正在执行 ${operations} 个部署, 请等它们结束后重试`,
  UPGRADE_UNAVAILABLE: ({ reason }) => `Agent不能自行升级: ${reason}`,
  UPGRADE_REFUSED: ({ reason }) => `Agent拒绝了升级包: ${reason}`,
  AGENT_LOST: ({ reason }) => `Agent连接中断: ${reason}, 软连接未切换`,
  AGENT_DRAINING: () => 'Agent正在停止, 软连接未切换',
  CONTROLLER_DRAINING: () => '服务正在停止, 不接受新的请求',
  STORE_UNWRITABLE: ({ reason }) => `无法写入操作记录: ${reason}; 操作没有开始, 所有主机保持不变`,
  STATE_UNKNOWN: ({ known, step, current }) =>
    `状态未知: ${known}${step ? `, 最后收到的步骤 ${step}` : ''}${current ? `, 当前版本 ${current}` : ''}`,
  DEADLINE_EXCEEDED: ({ seconds }) => `部署超时: ${seconds} 秒内未完成`,
  OPERATION_CANCELLED: () => '操作已取消, 软连接未切换',
  ROLLOUT_STOPPED: (params) => `未执行: ${stopCause(params)}, 软连接未切换`,
  WENT_BACK: (params) => `已随其他主机撤销: ${stopCause(params)}`,
  ROLLOUT_NOT_FOUND: ({ id }) => `没有这次部署: ${id}`,
  ROLLOUT_STATE: ({ state, request }) => `部署状态为 ${state}, 不能 ${request}`,
  IDEMPOTENCY_MISMATCH: ({ id }) => `Idempotency-Key 已用于另一个请求, 即部署 ${id}`,
  OPERATION_INTERRUPTED: ({ phase }) => `操作被中断: Agent在 ${phase} 阶段重启`,
  OPERATION_UNKNOWN: ({ operationId }) => `状态未知: Agent没有操作 ${operationId} 的记录`,
  DOWNLOAD_HTTP_STATUS: ({ status, proxy }) => `下载文件失败: HTTP ${status}${via(proxy)}`,
  DOWNLOAD_CONNECTION: ({ origin, reason, proxy }) => `下载文件失败: 无法从 ${origin} 读取 (${reason})${via(proxy)}`,
  DOWNLOAD_TIMEOUT: ({ seconds, bytes, proxy }) =>
    `下载文件失败: ${seconds} 秒内未完成, 已收到 ${formatBytes(bytes)}${via(proxy)}`,
  DOWNLOAD_TRUNCATED: ({ found, expected, proxy }) =>
    `下载文件失败: 文件不完整, 收到 ${found} 字节, 应为 ${expected} 字节${via(proxy)}`,
  DOWNLOAD_CHANGED: ({ found, expected }) => `下载文件失败: 下载过程中文件发生变化, ETag 为 ${found}, 应为 ${expected}`,
  DOWNLOAD_NOT_ALLOWED: ({ origin }) => `下载文件失败: 不允许从 ${origin} 下载 (download.allow)`,
  DOWNLOAD_REDIRECTS: ({ max }) => `下载文件失败: 重定向超过 ${max} 次`,
  DOWNLOAD_LIMIT: ({ max }) => `下载文件失败: 文件超过 ${formatBytes(max)} (download.max_bytes)`,
  CHECKSUM_MISMATCH: ({ algorithm, found, expected }) => `文件校验失败: ${algorithm} 为 ${found}, 应为 ${expected}`,
  ARCHIVE_CORRUPT: ({ reason }) => `解压文件失败: 压缩包损坏 (${reason})`,
  ARCHIVE_ENTRY_REFUSED: ({ entry, reason, detail }) =>
    `解压文件失败: 拒绝条目 ${entry}: ${refusals[reason]}${detail ? ` (${detail})` : ''}`,
  ARCHIVE_LIMIT: ({ limit, max, entry }) =>
    `解压文件失败: 超过限制 ${limit} = ${max}${entry ? ` (条目 ${entry})` : ''}`,
  DISK_FULL: ({ path, neededBytes, freeBytes }) =>
    neededBytes === undefined || freeBytes === undefined
      ? `磁盘空间不足: ${path}`
      : `磁盘空间不足: ${path} 需要 ${formatBytes(neededBytes)}, 剩余 ${formatBytes(freeBytes)}`,
  INODES_EXHAUSTED: ({ path }) => `磁盘 inode 不足: ${path}`,
  DISK_ERROR: ({ path, operation, reason }) => `磁盘错误: ${operation} ${path} (${reason})`,
  LINK_HELD: ({ project, release, operationId, since }) =>
    `软连接被占用: 项目 ${project} 正在操作 ${release} (${operationId}, 开始于 ${since})`,
  COMMAND_OUTDATED: ({ number, obeyed, operationId }) =>
    `命令已过期: 锁已转给操作 ${operationId} (编号 ${number}, 已执行 ${obeyed}), 软连接未切换`,
  BASE_HELD: ({ base, holder }) => `目录 ${base} 被另一个Agent占用 (${holder}), 一个目录只能由一个Agent管理`,
  LINK_MOVED: ({ link, found, expected }) => `软连接 ${link} 在部署期间被改动: 指向 ${found}, 应为 ${expected}`,
  LINK_NOT_A_SYMLINK: ({ link }) => `${link} 已存在且不是软连接, 请先移走`,
  NOT_DEPLOYED: ({ link }) => `没有部署过: 软连接 ${link} 不存在`,
  RELEASE_MISSING: ({ link, target }) => `软连接 ${link} 指向的版本 ${target} 不存在`,
  RELEASE_NOT_FOUND: ({ version, available }) =>
    `目标版本不存在: ${version}, ${available === '' ? '没有可回滚的版本' : `可回滚的版本: ${available}`}`,
  RELEASE_CHANGED: ({ release, difference }) => `版本 ${release} 部署后被改动: ${difference}, 请重新部署该版本`,
  OLD_RELEASE_REFUSED: ({ release, reason, detail }) =>
    `目标版本不可用: ${release} 由旧服务部署, ${oldRefusals[reason]}: ${detail}, 请重新部署该版本`,
  HOOK_FAILED: ({ hook, ending, output }) => `钩子执行失败: ${hook} ${ending}${lastLines(output)}`,
  RELOAD_FAILED: ({ ending, output }) => `服务重载失败: ${ending}${lastLines(output)}`,
  SUPERVISOR_UNAVAILABLE: ({ reason }) => `supervisor不可用: ${reason}`,
  PROGRAM_UNKNOWN: ({ program }) => `服务重启失败: supervisor中没有程序 ${program}, 请先调用 init_deploy`,
  PROGRAM_CONFIG_REFUSED: ({ where, found, expected }) => `supervisor配置有误: ${where} 为 ${found}, 应为 ${expected}`,
  PROGRAM_CONFIG_REJECTED: ({ reason }) => `supervisor不接受该配置, 已恢复原文件: ${reason}`,
  OS_MISMATCH: ({ found, expected }) => `os_system与主机不符: 收到 ${found}, 主机为 ${expected}`,
  RESTART_FAILED: ({ program, state, output }) => `服务重启失败: ${program} 状态为 ${state}${lastLines(output)}`,
  HEALTH_CHECK_FAILED: ({ check, attempts, found, expected }) =>
    `健康检查失败: ${check} 得到 ${found}, 应为 ${expected} (共 ${attempts} 次)`,
  PROGRAM_RUNS_OTHER_RELEASE: ({ program, found, expected }) =>
    `服务重启失败: ${program} 运行的是 ${found}, 应为 ${expected}`,
  LOG_NOT_FOUND: ({ path }) => `日志文件不存在: ${path}`,
  LOG_REFUSED: ({ path, found }) => `不能读取日志 ${path}: 是${found}, 应为普通文件`,
  INTERNAL: () => '内部错误, 详情见日志',
};

/** What follows the text of a failure past the flip: what is current now. */
export function zhAftermath({ current, reverted, revertError }: Aftermath, textOf: (error: unknown) => string): string {
  const now = current === null ? '当前没有版本' : `当前版本 ${current}`;
  const how = reverted ? '已恢复到原版本' : '未恢复';
  return `; ${how}, ${now}${revertError ? `, 恢复时出错: ${textOf(revertError)}` : ''}`;
}

const certificateFaults: Record<CertificateFault, string> = {
  missing: '没有证书',
  expired: '证书已过期',
  not_yet_valid: '证书尚未生效, 请检查时钟',
  revoked: '证书已吊销',
  untrusted: '证书不是由本系统的CA签发',
  wrong_role: '证书的身份不符',
  other_host: '证书属于另一台主机',
  no_tls: '没有使用TLS',
};

const joinFaults = {
  unknown: '令牌无效',
  used: '令牌已经用过, 请用 sampan-controller join-token 生成新的',
  expired: '令牌已过期, 请用 sampan-controller join-token 生成新的',
};

const oldRefusals: Record<OldReleaseRefusal, string> = {
  no_archive: '不能确认其完整, 旁边没有压缩包可供核对',
  archive_unreadable: '不能确认其完整, 压缩包无法读取',
  differs: '与压缩包不一致',
  cut_short: '文件不完整',
  of_other_link: '属于其他软连接',
};

const refusals: Record<EntryRefusal, string> = {
  path_outside: '路径在发布目录之外',
  path_absolute: '绝对路径',
  path_invalid: '路径无效',
  path_through_link: '路径经过软连接',
  link_outside: '软连接指向发布目录之外',
  link_absolute: '软连接指向绝对路径, 不在 allow_links_to 之内',
  type: '不支持的类型',
};

/** Names the proxy that was asked: what went wrong may well be its fault. */
function via(proxy: string | undefined): string {
  return proxy === undefined ? '' : `, 经代理 ${proxy} (download.proxy)`;
}

function lastLines(output: string): string {
  return output === '' ? '' : `, 输出: ${output}`;
}

function stopCause({ cause, failed, allowed }: ErrorParams['ROLLOUT_STOPPED']): string {
  switch (cause) {
    case 'cancelled':
      return '部署已取消';
    case 'not_staged':
      return `${failed} 台主机未能准备好`;
    case 'failures':
      return `${failed} 台主机失败, 最多允许 ${allowed} 台`;
  }
}
