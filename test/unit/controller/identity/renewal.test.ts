import { createSecureContext } from 'node:tls';
import { AgentPool } from '@sampan/controller/agents/agent-pool.ts';
import { loopbackOnly } from '@sampan/controller/agents/agent-security.ts';
import { CertificateAuthority } from '@sampan/controller/identity/certificate-authority.ts';
import { CertificateRecords } from '@sampan/controller/identity/certificate-records.ts';
import { renewAll } from '@sampan/controller/identity/renewal.ts';
import { rootsSha256 } from '@sampan/controller/identity/roots.ts';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { issueAgent } from '../../../helpers/test-identity.ts';
import { testStore } from '../../../helpers/test-store.ts';

it('a controller whose CA is older than that of another of the same database renews nothing, and says so', async () => {
  const { db } = await testStore();
  const records = new CertificateRecords(db);
  const old = await CertificateAuthority.create();
  const next = await old.roll();
  const agents = new AgentPool({ security: loopbackOnly, timeoutMs: 100 });
  onTestFinished(() => agents.close());
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
  const renewWith = async (authority: CertificateAuthority) => {
    lines.length = 0;
    const context = () => createSecureContext();
    const services = { authority: () => authority, context, records, agents, agentPort: 7410, lifetimeMs: 1000, log };
    await renewAll(services, new AbortController().signal);
    return [...lines];
  };
  const names = { agent: '127.0.0.1:1', host: '127.0.0.1', aliases: [] };
  await records.add(names, (await issueAgent(old, ['127.0.0.1'])).certificate);
  await records.setRoots(rootsSha256(next));
  expect(await renewWith(old)).toEqual([expect.stringMatching(/^identity_dir holds an older CA/)]);
  // It is due all the same, for whoever has the newer one: nobody listens there.
  expect(await renewWith(next)).toEqual(['certificate could not be renewed']);
});
