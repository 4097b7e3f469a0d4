/** One release, to be brought to hosts and made current. */
export interface Shipment {
  hosts: readonly string[];
  url: string;
  /** Of the release; its archive has it as the one directory. */
  name: string;
}

/** One way of doing that. */
export interface Way {
  /** Resolves when all hosts have it. @throws Error when one has not. */
  ship(shipment: Shipment): Promise<void>;
  /** The directory of a host: the link `bench` stands in it, releases in `.deploy` below it. */
  baseOf(host: string): string;
  /** Whether nothing of its own ever removes a release. */
  isTidiedByUs: boolean;
  /** For so long, in milliseconds, what ran a shipment tidies up after it. */
  restMs?: number;
}
