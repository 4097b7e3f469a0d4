import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { ConfigError } from '@sampan/shared/load-config.ts';

/** The package of an agent, as `npm run package` makes it. */
export interface AgentPackage {
  file: string;
  version: string;
  /** Lower-case hex. */
  sha256: string;
  bytes: number;
}

/** Reads what is to be known of a package. @throws ConfigError: it is none, or cannot be read. */
export async function readAgentPackage(file: string): Promise<AgentPackage> {
  try {
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash);
    const { size } = await stat(file);
    const listed = ['-xzOf', file, '--wildcards', '--occurrence=1', 'sampan-agent-*/VERSION'];
    const { stdout } = await promisify(execFile)('tar', listed, { timeout: 60_000 });
    return { file, version: stdout.trim(), sha256: hash.digest('hex'), bytes: size };
  } catch (cause) {
    throw new ConfigError(`${file} is no package of sampan-agent: ${(cause as Error).message.trim()}`, { cause });
  }
}
