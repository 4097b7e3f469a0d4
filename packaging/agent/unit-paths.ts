import { loadAgentConfig } from '@sampan/agent/config.ts';
import { fixedPartOf } from '@sampan/agent/releases/layout.ts';
import { unitPaths } from '../unit-paths.ts';

// `node unit-paths.mjs agent.yaml`: what the unit must leave writable for this configuration.
const { state_dir, identity_dir, languages, supervisor } = loadAgentConfig(process.argv[2]);
const templates = Object.values(languages).flatMap(({ base_dir, log_file }) => [base_dir, log_file]);
const configs = supervisor.conf_file === 'auto' ? [] : [fixedPartOf(supervisor.conf_file)];
process.stdout.write(
  unitPaths(
    [state_dir, ...(identity_dir === null ? [] : [identity_dir]), ...templates.map(fixedPartOf), ...configs],
    ['/usr', '/boot', '/efi', '/etc'],
  ),
);
