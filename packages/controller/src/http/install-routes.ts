import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CONTROLLER_SERVER_NAME } from '@sampan/shared/identity/identity-names.ts';
import type { ControllerApp } from './controller-app.ts';

/**
 * What the line that `join-token` prints fetches: a script, and the package that the script installs. Public: whoever asks learns
 * which version of Sampan is installed, and no more. The line believes both, since it fetches them under our own CA.
 */
export function installRoutes(app: ControllerApp, packageFile: string): void {
  const config = { access: 'public' } as const;
  const sha256 = rememberedSha256(packageFile);
  app.get(
    '/v1/agents/install.sh',
    { config, schema: { summary: 'The script that installs an agent and joins' } },
    async (_request, reply) => reply.type('text/x-shellscript').send(installScript(await sha256())),
  );
  app.get(
    '/v1/agents/package.tar.gz',
    { config, schema: { summary: 'The package of the agent' } },
    async (_request, reply) => {
      const { size } = await stat(packageFile);
      return reply.type('application/gzip').header('content-length', size).send(createReadStream(packageFile));
    },
  );
}

/** Of a file that may be replaced while the controller runs: counted again when it has changed. */
function rememberedSha256(file: string): () => Promise<string> {
  let known: { version: string; sha256: Promise<string> } | undefined;
  return async () => {
    const { ino, mtimeMs, size } = await stat(file);
    const version = `${ino} ${mtimeMs} ${size}`;
    if (known?.version !== version) known = { version, sha256: sha256Of(file) };
    return known.sha256;
  };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Run by the line, in a directory of its own that holds `ca.pem`, the file `token` and nothing else, with the controller's URL. It removes that directory. */
function installScript(packageSha256: string): string {
  return `#!/bin/sh
# Installs sampan-agent on this host and joins the controller.
# Run by the line that "sampan-controller join-token" printed; it has checked ca.pem beside this file, and this directory goes when all is done.
set -eu
url=$1
here=$PWD
trap 'cd / && rm -rf "$here"' EXIT
at=\${url#https://}
port=\${at##*:}
curl -fsS --cacert ca.pem --connect-to "${CONTROLLER_SERVER_NAME}:$port:$at" \\
  "https://${CONTROLLER_SERVER_NAME}:$port/v1/agents/package.tar.gz" -o package.tar.gz
echo "${packageSha256}  package.tar.gz" | sha256sum -c - >/dev/null
mkdir package
tar -xzf package.tar.gz -C package --strip-components=1
./package/install.sh
# Run once more, its token is used up: the host keeps the identity that it has.
/opt/sampan-agent/current/bin/sampan-agent --config /etc/sampan/agent.yaml join --force --controller "$url" --token-file token ||
  test -e /var/lib/sampan-agent/identity/agent.pem
systemctl enable --quiet sampan-agent
systemctl restart sampan-agent
systemctl --no-pager --lines=0 status sampan-agent
`;
}
