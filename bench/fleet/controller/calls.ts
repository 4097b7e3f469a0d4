import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

const agent = new Agent({ keepAlive: true });

/** Project and link of everything that the fleet's benchmark deploys. */
export const LINK = { project_name: 'bench', link_name: 'bench', language: 'php' };

/** `GET /get_current_version` over all hosts. @throws Error unless each has answered. */
export async function askVersions(url: string, hosts: readonly string[], signal: AbortSignal): Promise<void> {
  const query = new URLSearchParams({ ...LINK, server_list: hosts.join(',') });
  const answer = (await call({ method: 'GET', url: `${url}/get_current_version?${query}` }, signal)) as {
    data: { succeed?: object; failed?: object };
  };
  if (Object.keys(answer.data.succeed ?? {}).length !== hosts.length) throw notAll('get_current_version', answer);
}

/** `POST /deploy` over all hosts. @throws Error unless each has it. */
export async function deploy(
  url: string,
  order: { hosts: readonly string[]; fileUrl: string; filename: string },
  signal: AbortSignal,
): Promise<void> {
  const { hosts, fileUrl, filename } = order;
  const body = { ...LINK, server_list: hosts, file_url: fileUrl, filename };
  const answer = (await call({ method: 'POST', url: `${url}/deploy`, body }, signal)) as { status_code: number };
  if (answer.status_code !== 200) throw notAll('deploy', answer);
}

export type HostViews = Record<string, { reachable: boolean | null }>;

/** `GET /v1/hosts`. */
export async function lookAtHosts(url: string, hosts: readonly string[], signal: AbortSignal): Promise<HostViews> {
  const answer = await call({ method: 'GET', url: `${url}/v1/hosts?hosts=${hosts.join(',')}` }, signal);
  return (answer as { hosts: HostViews }).hosts;
}

/** Not fetch: that would be measured as well. */
async function call(
  { method, url, body }: { method: string; url: string; body?: unknown },
  signal: AbortSignal,
): Promise<unknown> {
  const sent = request(url, { method, agent, signal });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject);
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return JSON.parse(await text(await answered)) as unknown;
}

function notAll(what: string, answer: unknown): Error {
  return new Error(`${what}: not all hosts have it: ${JSON.stringify(answer).slice(0, 2000)}`);
}
