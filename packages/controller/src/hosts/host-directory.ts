import { errorText } from '@sampan/shared/error-text.ts';
import { asDeployError } from '@sampan/shared/errors.ts';
import type { GetStatusResponse__Output } from '@sampan/shared/gen/sampan/agent/v1/GetStatusResponse.ts';
import { abortable } from '../abortable.ts';
import { getStatus } from '../agents/get-status.ts';
import { askHosts } from '../ask-hosts.ts';
import type { Fleet } from '../fleet.ts';
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

/** What was last heard of each agent: many are answered from what is known, and asked behind that. */
export class HostDirectory {
  readonly #fleet: Fleet;
  readonly #known = new Map<string, KnownHost>();
  readonly #asking = new Map<string, Promise<void>>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** By the host's name. Hosts of which nothing is known yet are waited for; with `isFresh`, all are. */
  async look(
    hosts: readonly Host[],
    { isFresh }: { isFresh: boolean },
    signal: AbortSignal,
  ): Promise<Map<string, KnownHost | undefined>> {
    const nowMs = Date.now();
    const known = (host: Host) => this.#known.get(host.address.key);
    const old = hosts.filter((host) => nowMs - (known(host)?.askedAtMs ?? 0) > (isFresh ? 0 : FRESH_MS));
    const asked = this.#ask(old);
    if (isFresh || hosts.some((host) => !known(host))) {
      await abortable(asked, signal).catch(() => undefined);
    }
    return new Map(hosts.map((host) => [host.name, known(host)]));
  }

  /** Never throws: what goes wrong is what is known then. */
  async #ask(hosts: readonly Host[]): Promise<void> {
    const fresh = hosts.filter((host) => !this.#asking.has(host.address.key));
    const asking = this.#askAll(fresh).finally(() => {
      for (const { address } of fresh) this.#asking.delete(address.key);
    });
    for (const { address } of fresh) this.#asking.set(address.key, asking);
    await Promise.all(hosts.map(({ address }) => this.#asking.get(address.key)));
  }

  async #askAll(hosts: readonly Host[]): Promise<void> {
    if (hosts.length === 0) return;
    const question = { operation: 'status', hosts, ask: getStatus };
    const outcomes = await askHosts(this.#fleet, question, new AbortController().signal);
    const nowMs = Date.now();
    for (const { name, address } of hosts) {
      const outcome = outcomes.get(name);
      const before = this.#known.get(address.key);
      if (outcome?.ok) {
        this.#known.set(address.key, { askedAtMs: nowMs, seenAtMs: nowMs, status: outcome.value, error: undefined });
        continue;
      }
      const error = asDeployError(outcome?.error);
      this.#known.set(address.key, {
        askedAtMs: nowMs,
        seenAtMs: before?.seenAtMs,
        status: before?.status,
        error: { code: error.code, detail: errorText(error, 'en') },
      });
    }
  }
}
