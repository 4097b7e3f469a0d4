/** The URI in a certificate of the controller: as a client it commands agents, as a server it takes joins. */
export const CONTROLLER_URI = 'sampan://controller';

/** The name under which the controller's own certificate is asked for over HTTPS, whatever its address (TLS's server name). */
export const CONTROLLER_SERVER_NAME = 'controller.sampan.internal';

/** The server name that every agent is asked for: which of its names counts is checked by us, since TLS takes no IP address there. */
export const AGENT_SERVER_NAME = 'agent.sampan.internal';

/** The URI in a certificate of the agent on `host`. */
export function agentUri(host: string): string {
  return `${AGENT_URI}${encodeURIComponent(host)}`;
}

const AGENT_URI = 'sampan://agent/';

/** The host that a URI of an agent names; undefined for any other URI. */
export function agentOf(uri: string): string | undefined {
  return uri.startsWith(AGENT_URI) ? decodeURIComponent(uri.slice(AGENT_URI.length)) : undefined;
}
