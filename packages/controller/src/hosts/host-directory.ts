import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '@sampan/shared/error-text.ts';
import type { GetStatusResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/GetStatusResponse.ts';
import { abortable } from '../abortable.ts';
import { getStatus } from '../agents/get-status.ts';
import { askHosts } from '../ask-hosts.ts';
import type { Fleet } from '../fleet.ts';
import type { Outcome } from '../outcomes.ts';
import type { Host } from '../rollout/rollout-plan.ts';

/** What is known of a host's agent. Times in milliseconds since the epoch. */
export interface KnownHost {
  askedAtMs: number;
  /** When it last answered. */
  seenAtMs: number | undefined;
  status: GetStatusResponse__Output | undefined;
  /** Why it did not answer when it was last asked. */
  error: { code: string; detail: string } | undefined;
}

/** What is older is asked anew, behind the answer. */
const FRESH_MS = 10_000;
/** So long hosts of which nothing is known are waited for: living ones answer sooner, and dead ones take their whole timeout. */
const FIRST_WAIT_MS = 1_000;
/** Of callers that name hosts as they like; the ones that were asked the longest ago are forgotten. */
const MAX_KNOWN = 50_000;

/** What was last heard of each agent: many are answered from what is known, and asked behind that. */
export class HostDirectory {
  readonly #fleet: Fleet;
  /** Those that were asked last come last. */
  readonly #known = new Map<string, KnownHost>();
  readonly #asking = new Map<string, { sinceMs: number; answered: Promise<void> }>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /**
   * By the host's name. With `isFresh` all hosts are waited for, up to the timeout of each; else only those of which nothing is
   * known, and for a second at the most: undefined is one that has not answered, and has not failed, since this process started.
   * @throws never; a caller that goes away gets what is known.
   */
  async look(
    hosts: readonly Host[],
    { isFresh }: { isFresh: boolean },
    signal: AbortSignal,
  ): Promise<Map<string, KnownHost | undefined>> {
    const nowMs = Date.now();
    const known = (host: Host) => this.#known.get(host.address.key);
    const old = hosts.filter((host) => nowMs - (known(host)?.askedAtMs ?? 0) > (isFresh ? 0 : FRESH_MS));
    const asked = this.#ask(old);
    if (isFresh) await abortable(asked, signal).catch(() => undefined);
    else await within(this.#waitMs(hosts), asked, signal);
    return new Map(hosts.map((host) => [host.name, known(host)]));
  }

  /** How long hosts of which nothing is known are worth waiting for: who asks again meanwhile does not wait again. */
  #waitMs(hosts: readonly Host[]): number {
    const unknown = hosts.filter(({ address }) => !this.#known.has(address.key));
    const since = unknown.map(({ address }) => this.#asking.get(address.key)?.sinceMs ?? 0);
    return since.reduce((most, sinceMs) => Math.max(most, sinceMs + FIRST_WAIT_MS - performance.now()), 0);
  }

  /** Never throws: what goes wrong is what is known then. */
  async #ask(hosts: readonly Host[]): Promise<void> {
    const fresh = hosts.filter((host) => !this.#asking.has(host.address.key));
    const asking = { sinceMs: performance.now(), answered: this.#askAll(fresh) };
    for (const { address } of fresh) this.#asking.set(address.key, asking);
    await Promise.all(hosts.map(({ address }) => this.#asking.get(address.key)?.answered));
  }

  /** Each host is known as soon as it has answered: one that is dead keeps nobody from reading of the others. */
  async #askAll(hosts: readonly Host[]): Promise<void> {
    if (hosts.length === 0) return;
    const onOutcome = (host: Host, outcome: Outcome<GetStatusResponse__Output>) => {
      this.#asking.delete(host.address.key);
      this.#note(host, outcome);
    };
    const question = { operation: 'status', hosts, ask: getStatus, onOutcome };
    await askHosts(this.#fleet, question, new AbortController().signal);
  }

  #note({ name, address }: Host, outcome: Outcome<GetStatusResponse__Output>): void {
    const askedAtMs = Date.now();
    const before = this.#known.get(address.key);
    const error = outcome.ok ? undefined : { code: outcome.error.code, detail: errorText(outcome.error, 'en') };
    const answered = outcome.ok ? { seenAtMs: askedAtMs, status: outcome.value } : undefined;
    const { seenAtMs, status } = answered ?? before ?? {};
    // Asked every ten seconds, a host that stays dead would fill the log.
    if (error && before?.error?.code !== error.code) {
      this.#fleet.log.warn({ host: name, ...error }, 'host does not answer');
    } else if (!error && before?.error) this.#fleet.log.info({ host: name }, 'host answers again');
    this.#known.delete(address.key);
    this.#known.set(address.key, { askedAtMs, seenAtMs, status, error });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Resolves when `work` has, after `ms`, or when the caller leaves. */
async function within(ms: number, work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  const over = new AbortController();
  const waited = delay(ms, undefined, { signal: AbortSignal.any([signal, over.signal]) }).catch(() => undefined);
  await Promise.race([work, waited]);
  over.abort();
}
