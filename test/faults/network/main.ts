// A program, run in a network of its own by `inOwnNetwork`: plays one scene with a real wire between the controller and its
// agent. Prints what came of it as one line of JSON; ends with 1, and says why, where something is not as it should be.
import { parseArgs } from 'node:util';
import type { Report } from '../harness/run-cases.ts';
import { stretchWire, type Wire } from '../harness/wire.ts';
import { afterTheCommand } from './after-the-command.ts';
import { atTheLastByte } from './at-the-last-byte.ts';
import { dnsDown } from './dns-down.ts';
import { midStream } from './mid-stream.ts';

const scenes: Record<string, (wire: Wire) => Promise<Report>> = {
  'after-the-command': afterTheCommand,
  'mid-stream': midStream,
  'at-the-last-byte': atTheLastByte,
  'dns-down': dnsDown,
};

const [name = ''] = parseArgs({ allowPositionals: true }).positionals;
const play = scenes[name];
if (!play) throw new Error(`no such scene: ${name}`);
const wire = await stretchWire();
try {
  console.log(JSON.stringify(await play(wire)));
} finally {
  wire.remove();
}
