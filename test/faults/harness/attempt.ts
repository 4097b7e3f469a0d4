import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Answer, DEPLOYED, lies, ROLLED_BACK, stable, toldOf } from './answer.ts';
import { diskFaults, leftovers, linkFaults, namesIn, untilNone, versionAt } from './invariants.ts';
import type { Package } from './package.ts';
import type { DeployBody, World } from './world.ts';

/** One request to a world while something went wrong, and what came of it. */
export interface Attempt {
  made: Package;
  path: '/deploy' | '/rollback';
  body: DeployBody;
  before: string | null;
  answer: Answer;
}

export interface AttemptOptions {
  path?: Attempt['path'];
  /** Fields to add to the request, or to replace. */
  more?: DeployBody;
  /** What happens meanwhile. It is waited for. */
  during?: (answered: Promise<Answer>) => Promise<unknown>;
}

/** Makes `made` current, by a deploy or a rollback, while something happens. */
export async function attempt(world: World, made: Package, options: AttemptOptions = {}): Promise<Attempt> {
  const { path = '/deploy', more = {}, during = async () => undefined } = options;
  const before = versionAt(world.base, world.linkName);
  const body = world.request(made, more);
  const answered = world.post(path, body);
  const [answer] = await Promise.all([answered, during(answered)]);
  return { made, path, body, before, answer };
}

export interface Checks {
  /** Takes the fault away, before the request is sent again. Default: the origin serves what it should. */
  mend?: () => unknown;
  /** Looks before the fault is taken away, once nothing goes on any more; says what is wrong. */
  before?: () => string[];
  /** Leftovers that are excused until the agent's next start, because the disk refused to remove them. */
  sweptAtStart?: boolean;
}

/**
 * Holds the five invariants against the world as an attempt left it, then sends the same request again, the fault being gone.
 * @returns what is violated, in words. Empty: nothing.
 */
export async function violations(world: World, tried: Attempt, checks: Checks = {}): Promise<string[]> {
  const { base, linkName, host } = world;
  const { made, before, answer } = tried;
  if (checks.sweptAtStart) await world.restartAgent();
  const found = [...(await standing(world))];
  found.push(...(checks.before?.() ?? []));
  // A link that is not whole has no version, and is told of above.
  if (linkFaults(base, linkName).length === 0) {
    const now = versionAt(base, linkName);
    found.push(...lies(answer, { host, before, wanted: made.version, now }).map((lie) => `I4 ${lie}`));
  }
  world.origin.serve(`/${made.filename}`, made.bytes);
  await checks.mend?.();
  const again = await world.post(tried.path, tried.body);
  const done = tried.path === '/deploy' ? DEPLOYED : ROLLED_BACK;
  if (JSON.stringify(again) !== JSON.stringify(done)) found.push(`I3 the retry was told ${JSON.stringify(again)}`);
  else if (versionAt(base, linkName) !== made.version)
    found.push(`I3 after the retry ${versionAt(base, linkName)} is current`);
  for (const fault of await standing(world)) found.push(`after the retry: ${fault}`);
  return found;
}

/** I1, I2 and I5 as things stand, and that nothing is left behind and the agent lives. */
export async function standing(world: World): Promise<string[]> {
  return [
    ...linkFaults(world.base, world.linkName),
    ...(await untilNone(() => releaseFaults(world))),
    ...(await untilNone(() => processesOf(world))),
    ...(await world.neighbourFaults()).map((fault) => `I5 ${fault}`),
  ];
}

async function releaseFaults(world: World): Promise<string[]> {
  const listed = await world.listed();
  const onDisk = new Set(namesIn(`${world.base.dir}/.deploy`));
  return [
    ...diskFaults(world.base),
    ...listed.filter((name) => !onDisk.has(name)).map((name) => `I2 ${name} is listed and does not stand there`),
    ...leftovers(world.base),
  ];
}

/** What an attempt's caller was told, the same from run to run: the outcome that the table shows. */
export function outcomeOf(world: World, tried: Attempt): string {
  if (tried.answer.status_code === DEPLOYED.status_code) return String(tried.answer.data);
  return named(world, tried, toldOf(tried.answer, world.host) || JSON.stringify(tried.answer));
}

/** A text with what differs from run to run replaced by names: `<new>`, `<old>`, `<base>`, … */
export function named(world: World, { made, before }: Pick<Attempt, 'made' | 'before'>, text: string): string {
  return stable(text, {
    [made.version]: '<new>',
    ...(before === null ? {} : { [before]: '<old>' }),
    [world.base.dir]: '<base>',
    [world.home.root]: '<root>',
    [world.origin.url]: '<origin>',
    [world.host]: '<host>',
  });
}

/** Processes that this world's agent started, in this life or an earlier one. What supervisord runs is not its own. */
function processesOf({ agent, home }: World): string[] {
  if (!existsSync(`/proc/${agent.pid}/stat`)) return ['the agent is dead'];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== agent.pid);
  return pids.flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      const isOurs = parent === agent.pid || `${command}${environment}`.includes(home.root);
      return isOurs && !environment.includes('SUPERVISOR_') ? [`a process is left: ${pid} ${command}`] : [];
    } catch {
      // It has ended.
      return [];
    }
  });
}
