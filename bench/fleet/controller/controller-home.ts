import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readAuthority } from '@sampan/controller/identity/authority-file.ts';
import { enroll } from '@sampan/controller/identity/enroll.ts';
import { openBeside } from '@sampan/controller/store/open-database.ts';
import { stringify } from 'yaml';
import { bundle, copyLibraryFiles } from '../../../packaging/bundle/bundle.ts';
import { runProgram } from '../../processes/run-program.ts';

const CERTIFICATE_LIFETIME_MS = 90 * 86_400_000;

/** Where a controller is configured, and keeps its database and its CA. */
export interface ControllerHome {
  dir: string;
  /** The program, bundled as it is shipped. */
  program: string;
  config: string;
  /** Has a directory with the identity of each host that was enrolled. */
  identities: string;
  /** Gives hosts their certificates, as joining does. */
  enroll(hosts: readonly string[]): Promise<void>;
}

/** Bundles a controller and makes its CA by `sampan-controller init`. Its agents listen on `agentPort`. */
export async function makeControllerHome(dir: string, agentPort: number, signal: AbortSignal): Promise<ControllerHome> {
  const programDir = join(dir, 'program');
  await bundle({ 'sampan-controller': 'packages/controller/src/main.ts' }, programDir);
  await copyLibraryFiles(programDir);
  const program = join(programDir, 'sampan-controller.mjs');
  const config = join(dir, 'controller.yaml');
  const database = join(dir, 'sampan.db');
  const identityDir = join(dir, 'ca');
  const identities = join(dir, 'identities');
  await mkdir(identities);
  await writeFile(
    config,
    stringify({
      listen: '127.0.0.1:0',
      database: `sqlite:${database}`,
      identity_dir: identityDir,
      agents: { port: agentPort },
    }),
  );
  await runProgram([process.execPath, program, '--config', config, 'init'], signal);
  return {
    dir,
    program,
    config,
    identities,
    async enroll(hosts) {
      const authority = await readAuthority(identityDir);
      const db = await openBeside(database);
      try {
        await db.transaction().execute(async (trx) => {
          const enrolling = { authority, db: trx, lifetimeMs: CERTIFICATE_LIFETIME_MS };
          for (const host of hosts) {
            signal.throwIfAborted();
            await enrollOne(enrolling, host, join(identities, host));
          }
        });
      } finally {
        await db.destroy();
      }
    },
  };
}

async function enrollOne(enrolling: Parameters<typeof enroll>[0], host: string, out: string): Promise<void> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(keys.publicKey.export({ type: 'spki', format: 'der' }));
  const names = { agent: host, host, aliases: [] };
  const entry = { who: 'bench', action: 'issue', hosts: [host], outcome: 'OK' };
  const { certificate, roots } = await enroll(enrolling, { names, spki }, entry);
  await mkdir(out);
  await writeFile(join(out, 'agent.key'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(join(out, 'agent.pem'), certificate);
  await writeFile(join(out, 'ca.pem'), roots);
}
