import { DeployError } from '@sampan/shared/errors.ts';
import type { AgentConfig } from '../config.ts';
import type { Target } from '../releases/layout.ts';

/**
 * Whether a restart that was asked for is to be made: php has no program of its own, and ignores it.
 * @throws SUPERVISOR_UNAVAILABLE where this host is configured not to restart the language: said before anything happens.
 */
export function mustRestart(config: AgentConfig, { language }: Target, asked: boolean): boolean {
  if (!asked || language === 'php') return false;
  if (config.languages[language].restart === 'supervisor') return true;
  throw new DeployError('SUPERVISOR_UNAVAILABLE', { reason: `agent.yaml: languages.${language}.restart is none` });
}
