import { CONTROLLER_SERVER_NAME } from '@sampan/shared/identity/identity-names.ts';

/**
 * What is typed on a host, as root, to install its agent and join: it believes nothing but the CA whose hash it carries. `url` has
 * a port. The CA is fetched from whoever answers, and compared; what runs then comes from who holds a certificate of that CA.
 * The token is never an argument of a program, which everybody on the host could read. Not below /tmp: that may be noexec.
 */
export function installLine(url: string, caSha256: string, token: string): string {
  const at = url.replace('https://', '');
  const port = at.slice(at.lastIndexOf(':') + 1);
  const believing = `--cacert ca.pem --connect-to ${CONTROLLER_SERVER_NAME}:${port}:${at}`;
  const steps = [
    'set -e',
    'd=$(mktemp -d -p /opt)',
    'cd "$d"',
    `printf %s ${token} >token`,
    `curl -fsSk ${url}/v1/agents/ca.pem -o ca.pem`,
    `echo "${caSha256}  ca.pem" | sha256sum -c - >/dev/null`,
    `curl -fsS ${believing} https://${CONTROLLER_SERVER_NAME}:${port}/v1/agents/install.sh -o install.sh`,
    `sh install.sh ${url}`,
  ];
  return `(${steps.join('; ')})`;
}
