/** The body of an answer of the documented API to a deploy or a rollback. */
export interface Answer {
  status_code: number;
  data: string | Record<string, string>;
}

export const DEPLOYED: Answer = { status_code: 200, data: '部署成功!' };
export const ROLLED_BACK: Answer = { status_code: 200, data: '回滚成功!' };

/** What a host was told, `''` where it succeeded. */
export function toldOf(answer: Answer, host: string): string {
  return typeof answer.data === 'string' ? (answer.status_code === 200 ? '' : answer.data) : (answer.data[host] ?? '');
}

/** The same text wherever and whenever it was told: hosts, ids, times and temporary paths get names. */
export function stable(text: string, names: Record<string, string> = {}): string {
  const named = Object.entries(names).reduce((all, [from, to]) => all.replaceAll(from, to), text);
  return named
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
}

/**
 * Whether a host's answer is true, by what its link named before and names now.
 * @returns what is wrong with it, in words; empty where it is true.
 */
export function lies(
  answer: Answer,
  { host, before, wanted, now }: { host: string; before: string | null; wanted: string; now: string | null },
): string[] {
  const told = toldOf(answer, host);
  const is = (expected: string | null) =>
    now === expected ? [] : [`told ${told || 'success'}, but ${now} is current`];
  if (answer.status_code === 200) return is(wanted);
  if (told === '') return [`the host is missing in ${JSON.stringify(answer)}`];
  const said = /当前版本 ([^\s,;]+)/.exec(told)?.[1];
  if (said !== undefined) return is(said);
  if (told.includes('当前没有版本')) return is(null);
  // What is not known may be either, but nothing else.
  if (told.startsWith('状态未知')) return now === before || now === wanted ? [] : [`${now} is current`];
  return is(before);
}
