import { putConfigFile } from './config-file.ts';
import { contentBefore } from './project-records.ts';
import type { SupervisorHost } from './supervisor-host.ts';

/**
 * Puts back the files whose replacement a crash has interrupted: nobody was told that it succeeded.
 * @returns their projects. When supervisord does not answer, the files are back all the same.
 */
export async function recoverProgramConfigs(host: SupervisorHost, signal: AbortSignal): Promise<string[]> {
  const recovered: string[] = [];
  for (const projectName of await host.records.projects()) {
    const record = await host.records.read(projectName);
    if (!record?.trying || record.path === null) continue;
    await putConfigFile(record.path, contentBefore(record.trying));
    await host.records.write(projectName, { path: record.path, groups: record.groups });
    recovered.push(projectName);
  }
  if (recovered.length > 0) {
    await host.ctl.reread(signal).catch((cause: unknown) => {
      host.log.warn({ err: cause, recovered }, 'the old program configs are back, but supervisord did not reread them');
    });
  }
  return recovered;
}
