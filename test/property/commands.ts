import fc, { type AsyncCommand } from 'fast-check';
import { type Before, before, expectationOf, lies, wantedBy, wordFor } from './expectation.ts';
import type { HostUnderTest, Listed } from './host-under-test.ts';
import type { Death } from './life.ts';
import { type Model, overtake, type Pending, violations } from './model.ts';
import { KEEP, type Told } from './mortal-agent.ts';
import { type Asked, ask, mend, type Order, prepare, projectOf, send } from './orders.ts';
import { projects, targetOf, VERSIONS, versionName } from './projects.ts';

type Command = AsyncCommand<Model, HostUnderTest>;

/** Thrown with all that is violated, so that fast-check shows it beside the commands that led there. */
function demand(found: readonly string[]): void {
  if (found.length > 0) throw new Error(found.join('\n'));
}

const projectOfPending = ({ asked }: Pending) => projectOf(asked.order);

/** One order, or two at once; the agent dies on the way, or does not, and once more as it comes back. */
class Send implements Command {
  readonly orders: readonly Order[];
  readonly death: Death | undefined;
  readonly again: Death | undefined;

  constructor({ orders, death, again }: { orders: Order[]; death: Death | undefined; again: Death | undefined }) {
    this.orders = orders;
    this.death = death;
    this.again = again;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, host: HostUnderTest): Promise<void> {
    const touched = new Set(this.orders.map(projectOf));
    const others = [...projects.keys()].filter((project) => !touched.has(project));
    const othersBefore = await Promise.all(others.map((project) => host.stateOf(project)));
    const was = new Map(await Promise.all([...touched].map(async (n) => [n, await before(host, n)] as const)));
    for (const project of touched) overtake(model, project, projectOfPending);

    const isFirst = (order: Order) => this.orders.find((other) => projectOf(other) === projectOf(order)) === order;
    for (const order of this.orders) if (isFirst(order)) prepare(host, order);
    const asked = this.orders.map((order) => ask(host, order));
    host.agent.dieAt(this.death);
    const told = await Promise.all(asked.map((one) => send(host, one)));
    await host.agent.settled();
    host.agent.dieAt(undefined);
    if (!host.agent.isAlive) await comeBack(host, this.again);

    const found: string[] = [];
    for (const [n, one] of asked.entries()) {
      const about = { one, was: was.get(projectOf(one.order)) as Before, told: told[n] };
      if (isFirst(one.order)) found.push(...judge(model, host, about));
      else if (wordFor(about.told) !== 'LINK_HELD' && about.told !== undefined) {
        found.push(`I4 the second at once on a link was told ${JSON.stringify(about.told)}`);
      }
    }
    const othersNow = await Promise.all(others.map((project) => host.stateOf(project)));
    others.forEach((project, n) => {
      if (othersNow[n] !== othersBefore[n])
        found.push(`I5 project ${project} was\n${othersBefore[n]}\nand is\n${othersNow[n]}`);
    });
    for (const [project, { listed }] of was)
      found.push(...(await lost(host, project, { listed, orders: this.orders })));
    demand([...found, ...(await violations(model, host))]);
  }

  toString(): string {
    return `Send(${JSON.stringify({ orders: this.orders, death: this.death, again: this.again })})`;
  }
}

async function comeBack(host: HostUnderTest, again: Death | undefined): Promise<void> {
  if (again && (await host.agent.start(again))) {
    host.agent.dieAt(undefined);
    return;
  }
  if (!(await host.agent.start())) throw new Error('the agent did not come back');
}

/** Holds what one order was told against the disk, and takes what is so now into the model. */
function judge(
  model: Model,
  host: HostUnderTest,
  { one, was, told }: { one: Asked; was: Before; told: Told },
): string[] {
  const { order, operationId } = one;
  const project = projectOf(order);
  const now = host.contentAt(project);
  const expected = expectationOf(order, was);
  model.current[project] = now;
  if (order.kind === 'stage' || told === undefined) model.pinned[project] = (model.pinned[project] ?? 0) + 1;
  if (told !== undefined) {
    if (order.kind === 'stage' && told.kind === 'staged') model.pending.push({ asked: one, isOvertaken: false });
    if (expected.told.includes(wordFor(told)) && now === expected.current) return [];
    // What was told before it died is as true after it.
    return [
      `project ${project} was told ${JSON.stringify(told)}, and ${now} is current; expected ${JSON.stringify(expected)}`,
    ];
  }
  const outcome = host.agent.knownOutcome(operationId);
  if (outcome === undefined) {
    model.pending.push({ asked: one, isOvertaken: false });
    return now === was.content
      ? []
      : [`I4 nothing is known of ${operationId}, but ${now} is current instead of ${was.content}`];
  }
  return lies(outcome, { order, was: was.content, wanted: wantedBy(order, was), now });
}

/** A release that was there and is not, though it is among the newest and nobody wanted it deleted. */
async function lost(
  host: HostUnderTest,
  project: number,
  { listed, orders }: { listed: readonly Listed[]; orders: readonly Order[] },
): Promise<string[]> {
  const now = new Set((await host.listed(project)).map(({ name }) => name));
  const were = new Set(listed.map(({ name }) => name));
  const added = [...now].filter((name) => !were.has(name)).length;
  const unwanted = orders.flatMap((order) =>
    order.kind === 'deploy' && order.deletes ? [versionName(order.deletes)] : [],
  );
  return listed
    .filter(({ name, version }, index) => !now.has(name) && added + index < KEEP && !unwanted.includes(version))
    .map(({ name }) => `I5 ${name} of project ${project} is gone`);
}

/** Whoever was told nothing asks again: the same operation. */
class Retry implements Command {
  check({ pending }: Model): boolean {
    return pending.length > 0;
  }

  async run(model: Model, host: HostUnderTest): Promise<void> {
    const { asked, isOvertaken } = model.pending.pop() as Pending;
    const { order } = asked;
    const project = projectOf(order);
    const was = await before(host, project);
    const wanted = wantedBy(order, was);
    overtake(model, project, projectOfPending);
    mend(host, asked);
    const told = await send(host, asked, true);
    await host.agent.settled();
    const now = host.contentAt(project);
    model.current[project] = now;
    const found = lies(told, { order, was: was.content, wanted, now });
    const mustSucceed = !isOvertaken && wanted !== undefined && (order.kind === 'stage' || order.fault === undefined);
    if (mustSucceed && wordFor(told) !== 'ok')
      found.push(`I3 the retry of ${JSON.stringify(order)} was told ${JSON.stringify(told)}`);
    demand([...found, ...(await violations(model, host))]);
  }

  toString(): string {
    return 'Retry()';
  }
}

/** Somebody removes a version by name. */
class Remove implements Command {
  readonly project: number;
  readonly version: number;

  constructor(project: number, version: number) {
    this.project = project;
    this.version = version;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, host: HostUnderTest): Promise<void> {
    const was = await host.listed(this.project);
    await host.agent.remove(targetOf(this.project), versionName(this.version));
    await host.agent.settled();
    const now = (await host.listed(this.project)).map(({ name }) => name);
    const kept = was.filter(({ version }) => version !== versionName(this.version)).map(({ name }) => name);
    const found = kept.filter((name) => !now.includes(name)).map((name) => `I5 ${name} is gone`);
    // Of what was to go, only what is current, was left last, or may yet be activated stays.
    const stayed = now.filter((name) => !kept.includes(name) && name !== host.currentName(this.project));
    if (stayed.length > 1 + (model.pinned[this.project] ?? 0)) found.push(`${stayed.join(', ')} stayed`);
    demand([...found, ...(await violations(model, host))]);
  }

  toString(): string {
    return `Remove(${this.project}, ${this.version})`;
  }
}

/** The agent dies while nothing goes on, or what goes on is nobody's business, and comes back; perhaps not at once. */
class Crash implements Command {
  readonly again: Death | undefined;

  constructor(again: Death | undefined) {
    this.again = again;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, host: HostUnderTest): Promise<void> {
    host.agent.end();
    await comeBack(host, this.again);
    demand(await violations(model, host));
  }

  toString(): string {
    return `Crash(${JSON.stringify(this.again)})`;
  }
}

const project = fc.nat({ max: projects.length - 1 });
const version = fc.integer({ min: 1, max: VERSIONS });
const shipment = fc.record({ project, version, edition: fc.constantFrom('a' as const, 'b' as const) });
const death = (most: number, from: Death['from'] = 'now') =>
  fc.record({
    atCall: fc.integer({ min: 1, max: most }),
    when: fc.constantFrom('before' as const, 'after' as const),
    from: fc.constant(from),
  });
const sometimes = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ withCrossShrink: true }, fc.constant(undefined), arbitrary);
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => sometimes(sometimes(arbitrary));

const order: fc.Arbitrary<Order> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('deploy' as const),
      shipment,
      withSha256: fc.boolean(),
      deletes: seldom(version),
      fault: seldom(fc.constantFrom('missing' as const, 'cut' as const, 'wrong sha256' as const, 'hook' as const)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('rollback' as const),
      project,
      version,
      fault: seldom(fc.constant('hook' as const)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stage' as const), shipment }) },
);

/** A deploy makes about 45 calls that change the disk, a rollback 20; of both, 10 come with the flip and after it. */
const send_ = fc
  .record({
    orders: fc.array(order, { minLength: 1, maxLength: 2 }),
    death: sometimes(fc.oneof(death(50), death(6, 'flip'), death(12, 'flip'))),
    again: sometimes(death(12)),
  })
  .map((made) => new Send(made));

/** Sequences of what people, and crashes, do to a host. `replayPath`: as a failure has printed it. */
export function sequences(maxCommands: number, replayPath?: string): fc.Arbitrary<Iterable<Command>> {
  const retry = fc.constant(new Retry());
  const remove = fc.tuple(project, version).map(([of, what]) => new Remove(of, what));
  const crash = sometimes(death(12)).map((again) => new Crash(again));
  return fc.commands([send_, send_, send_, send_, send_, retry, retry, remove, crash], {
    maxCommands,
    size: 'max',
    ...(replayPath === undefined ? {} : { replayPath }),
  });
}
