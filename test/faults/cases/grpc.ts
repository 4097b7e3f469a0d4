import { Client, credentials, type ServiceError, status as Status } from '@grpc/grpc-js';
import type { CertificateAuthority, KeyPair } from '@sampan/controller/identity/certificate-authority.ts';
import { AGENT_SERVER_NAME } from '@sampan/shared/identity/identity-names.ts';
import { expect } from 'vitest';
import { clientContext, issueAgent } from '../../helpers/test-identity.ts';
import { standing } from '../harness/attempt.ts';
import type { CaseTable, Report } from '../harness/run-cases.ts';
import { openTlsWorld } from '../harness/tls-world.ts';
import type { World } from '../harness/world.ts';

const SERVICE = '/sampan.agent.v1.Agent';
const MIB = 1024 ** 2;

/** Bytes as a stranger may send them to the agent's port. */
export const grpc: CaseTable<'grpc', World> = {
  'no client certificate': {
    speed: 'fast',
    run: () => knocked(async () => undefined, 'UNAUTHENTICATED'),
  },
  "another agent's certificate": {
    speed: 'fast',
    run: () => knocked((authority) => issueAgent(authority, ['10.0.0.9']), 'PERMISSION_DENIED'),
  },
  expired: {
    speed: 'fast',
    run: () => knocked((authority) => authority.issueClient(-60_000), 'UNAUTHENTICATED'),
  },
  '5 MiB message': {
    speed: 'fast',
    // Field 1 of GetOperation, an operation id of 5 MiB.
    run: (world) =>
      sent(world, { method: `${SERVICE}/GetOperation`, bytes: field(1, 5 * MIB), code: 'RESOURCE_EXHAUSTED' }),
  },
  'unknown method': {
    speed: 'fast',
    run: (world) => sent(world, { method: `${SERVICE}/Format`, bytes: Buffer.alloc(0), code: 'UNIMPLEMENTED' }),
  },
  'bad protobuf': {
    speed: 'fast',
    // A field whose length goes beyond the message.
    run: (world) =>
      sent(world, { method: `${SERVICE}/GetOperation`, bytes: Buffer.from('0aff01', 'hex'), code: 'INVALID_ARGUMENT' }),
  },
};

/** Who is not the controller asks an agent under TLS for a deploy. */
async function knocked(
  issue: (authority: CertificateAuthority) => Promise<KeyPair | undefined>,
  code: keyof typeof Status,
): Promise<Report> {
  const { world, authority, close } = await openTlsWorld();
  try {
    const context = clientContext(authority, await issue(authority));
    const channel = credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined });
    const client = new Client(world.host, channel, { 'grpc.ssl_target_name_override': AGENT_SERVER_NAME });
    try {
      expect(await codeOf(client, `${SERVICE}/Activate`, Buffer.alloc(0))).toBe(code);
    } finally {
      client.close();
    }
    expect(await standing(world)).toEqual([]);
    return { outcome: code, invariants: 'I1, I2, I5' };
  } finally {
    await close();
  }
}

interface Sent {
  method: string;
  bytes: Buffer;
  code: keyof typeof Status;
}

async function sent(world: World, { method, bytes, code }: Sent): Promise<Report> {
  const client = new Client(world.host, credentials.createInsecure());
  try {
    expect(await codeOf(client, method, bytes)).toBe(code);
    expect(await standing(world)).toEqual([]);
    return { outcome: code, invariants: 'I1, I2, I5' };
  } finally {
    client.close();
  }
}

async function codeOf(client: Client, method: string, bytes: Buffer): Promise<string | undefined> {
  const error = await new Promise<ServiceError | null>((resolve) => {
    const same = (value: Buffer) => value;
    client.makeUnaryRequest(method, same, same, bytes, (refused) => resolve(refused));
  });
  return error ? Status[error.code] : undefined;
}

/** A length-delimited field of zeros. */
function field(number: number, length: number): Buffer {
  const varint: number[] = [];
  for (let rest = length; ; rest >>= 7) {
    if (rest < 0x80) {
      varint.push(rest);
      break;
    }
    varint.push((rest & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint]), Buffer.alloc(length, 'a')]);
}
