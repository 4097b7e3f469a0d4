import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import type { HookConfig, LanguageConfig } from '../config.ts';
import { runCommand } from '../host/run-command.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import type { Target } from '../releases/layout.ts';
import type { HostServices } from './host-services.ts';
import { hookMark } from './leftover-commands.ts';

const RELOAD_TIMEOUT_MS = 60_000;

export type HookName = keyof LanguageConfig['hooks'];

/** The hook of a language at that point, if it has one. */
export function hookOf(services: HostServices, target: Target, name: HookName): HookConfig | null {
  return services.config.languages[target.language].hooks[name];
}

/**
 * Runs a hook with the release as its directory, as its own user (default: the language's owner). A script that the
 * release does not bring is skipped.
 * @throws HOOK_FAILED with its last lines.
 */
export async function runHook(
  services: HostServices,
  { target, name, releaseDir, version }: { target: Target; name: HookName; releaseDir: string; version: string },
  { operationId, signal }: Pick<OperationContext, 'operationId' | 'signal'>,
): Promise<void> {
  const hook = hookOf(services, target, name);
  if (!hook || !(await isThere(releaseDir, hook.run[0]))) return;
  const user = hook.user ?? services.config.languages[target.language].owner;
  const result = await runCommand(
    {
      argv: hook.run,
      cwd: releaseDir,
      owner: user === null ? undefined : services.owners.get(user),
      env: {
        SAMPAN_HOOK: name,
        ...hookMark(services.config, operationId),
        SAMPAN_PROJECT: target.projectName,
        SAMPAN_LINK: target.linkName,
        SAMPAN_VERSION: version,
        SAMPAN_RELEASE_DIR: releaseDir,
      },
      timeoutMs: hook.timeout,
    },
    signal,
  );
  if (!result.ok) throw new DeployError('HOOK_FAILED', { hook: name, ending: result.ending, output: result.output });
}

/** Runs the language's `reload` command, where it has one: php-fpm keeps compiled files of the old release until it is told. */
export async function reload(services: HostServices, target: Target, signal: AbortSignal): Promise<void> {
  const argv = services.config.languages[target.language].reload;
  if (!argv) return;
  const result = await runCommand({ argv, timeoutMs: RELOAD_TIMEOUT_MS }, signal);
  if (!result.ok) throw new DeployError('RELOAD_FAILED', { ending: result.ending, output: result.output });
}

/** A command that is a path relative to the release may be missing there; one of the host (`/x` or found by PATH) may not. */
async function isThere(releaseDir: string, program: string | undefined): Promise<boolean> {
  if (!program?.startsWith('./')) return true;
  try {
    await access(join(releaseDir, program));
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}
