import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAuthority } from '@sampan/controller/identity/authority-file.ts';
import { CertificateAuthority } from '@sampan/controller/identity/certificate-authority.ts';
import { keptTempDir } from '../../helpers/temp-dir.ts';
import { clientContext, issueAgent, writeAgentIdentity } from '../../helpers/test-identity.ts';
import { ownAddress } from './fault-agent.ts';
import { World, type WorldSettings } from './world.ts';

const DAY_MS = 86_400_000;

/** A world in which controller and agent speak TLS, with a CA of its own. */
export interface TlsWorld {
  world: World;
  authority: CertificateAuthority;
  /** Gives the agent a certificate that lives so long; it is shown from the agent's next start on. */
  certify(lifetimeMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Certificates that nobody has written down are not renewed by the controller, so they end when they say. */
export async function openTlsWorld(settings: WorldSettings = {}): Promise<TlsWorld> {
  const authority = await CertificateAuthority.create();
  const root = keptTempDir();
  const controllerIdentity = keptTempDir();
  const agentAddress = ownAddress();
  mkdirSync(controllerIdentity, { recursive: true });
  await writeAuthority(controllerIdentity, authority);
  const certify = async (lifetimeMs: number) => {
    writeAgentIdentity(root, authority, await issueAgent(authority, [agentAddress], lifetimeMs));
  };
  await certify(DAY_MS);
  const remove = () => {
    for (const dir of [root, controllerIdentity]) rmSync(dir, { recursive: true, force: true });
  };
  try {
    const world = await World.open({
      ...settings,
      root,
      agentAddress,
      agent: { ...settings.agent, identity_dir: join(root, 'identity') },
      controller: { ...settings.controller, identity_dir: controllerIdentity },
      agentContext: clientContext(authority, await authority.issueClient(DAY_MS)),
    });
    return { world, authority, certify, close: () => world.close().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}
