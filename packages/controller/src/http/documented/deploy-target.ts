import type { ProjectLanguage } from '@sampan/shared/languages.ts';
import { isName, NAME_RULE } from '@sampan/shared/names.ts';
import { z } from 'zod';
import type { Target } from '../../rollout/rollout-plan.ts';

/** The fields that say which link of which project is meant. */
export interface TargetFields {
  project_name: string;
  link_name: string;
  language: ProjectLanguage;
  deploy_dir?: unknown;
}

/** The link that a request means. `deploy_dir` is required for golang and ignored for the others. */
export function deployTarget(fields: TargetFields, context: z.RefinementCtx): Target {
  const { project_name: projectName, link_name: linkName, language, deploy_dir } = fields;
  if (language !== 'golang') return { projectName, linkName, language, deployDir: '' };
  if (typeof deploy_dir === 'string' && isName(deploy_dir)) {
    return { projectName, linkName, language, deployDir: deploy_dir };
  }
  context.addIssue({ code: 'custom', message: NAME_RULE, path: ['deploy_dir'], input: deploy_dir });
  return z.NEVER;
}
