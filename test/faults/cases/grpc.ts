import { Client, credentials, type ServiceError, status as Status } from '@grpc/grpc-js';
import { expect } from 'vitest';
import { standing } from '../harness/attempt.ts';
import type { CaseTable, Report } from '../harness/run-cases.ts';
import type { World } from '../harness/world.ts';

const SERVICE = '/sampan.agent.v1.Agent';
const MIB = 1024 ** 2;

/** Bytes as a stranger may send them to the agent's port. */
export const grpc: CaseTable<'grpc', World> = {
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

interface Sent {
  method: string;
  bytes: Buffer;
  code: keyof typeof Status;
}

async function sent(world: World, { method, bytes, code }: Sent): Promise<Report> {
  const client = new Client(world.host, credentials.createInsecure());
  try {
    const error = await new Promise<ServiceError | null>((resolve) => {
      const same = (value: Buffer) => value;
      client.makeUnaryRequest(method, same, same, bytes, (refused) => resolve(refused));
    });
    expect(error && Status[error.code]).toBe(code);
    expect(await standing(world)).toEqual([]);
    return { outcome: code, invariants: 'I1, I2, I5' };
  } finally {
    client.close();
  }
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
