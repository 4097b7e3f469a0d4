import { dirname } from 'node:path';
import { loadControllerConfig } from '@sampan/controller/config.ts';
import { unitPaths } from '../unit-paths.ts';

// `node unit-paths.mjs controller.yaml`: what the unit must leave writable for this configuration, which protects all.
const { database, identity_dir } = loadControllerConfig(process.argv[2]);
const files = URL.canParse(database) ? [] : [dirname(database)];
process.stdout.write(unitPaths([...files, ...(identity_dir === null ? [] : [identity_dir])], ['/']));
