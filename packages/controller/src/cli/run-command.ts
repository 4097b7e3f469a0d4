import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { Kysely } from 'kysely';
import { type ControllerConfig, loadControllerConfig } from '../config.ts';
import { openBeside } from '../store/open-database.ts';
import type { Tables } from '../store/tables.ts';

/** What a command works with. */
export interface CommandContext {
  config: ControllerConfig;
  /** The controller's own, whether or not that runs now. Closed when the command has ended. */
  db: Kysely<Tables>;
  /** Who types, for the audit trail: `cli root`. */
  who: string;
}

/**
 * Runs a command with the configuration that `--config` names, and its database.
 * @throws ConfigError in words, for what a person can mend; main prints it and ends with 1.
 */
export async function runCommand(command: Command, work: (context: CommandContext) => Promise<void>): Promise<void> {
  const config = loadControllerConfig(command.optsWithGlobals<{ config?: string }>().config);
  const db = await openBeside(config.database);
  try {
    await work({ config, db, who: `cli ${userName()}` });
  } finally {
    await db.destroy();
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container a user may have a number only.
    return `uid ${process.getuid?.()}`;
  }
}
