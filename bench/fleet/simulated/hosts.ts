const PER_NETWORK = 250;

/** Addresses of this machine that stand in for hosts: 127.0.<first>.1 and so on, 250 to a network. */
export function loopbackHosts(count: number, firstNetwork: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const network = firstNetwork + Math.floor(index / PER_NETWORK);
    return `127.0.${network}.${1 + (index % PER_NETWORK)}`;
  });
}
