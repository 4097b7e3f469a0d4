import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Plugin } from 'esbuild';

/** Libraries that read files of their own at run time: the folder of a package, by where the bundle has it. */
export const LIBRARY_FILES = {
  'swagger-ui': 'node_modules/@fastify/swagger-ui',
} as const;

/** Lets such a library look for its files beside the bundle: its `__dirname` is `<bundle>/<name>/<folder within the package>`. */
export const libraryFiles: Plugin = {
  name: 'library-files',
  setup(build) {
    for (const [name, folder] of Object.entries(LIBRARY_FILES)) {
      build.onLoad({ filter: new RegExp(`/${folder}/(index|lib/[^/]+)\\.js$`) }, async ({ path }) => {
        const within = relative(folder, path.slice(path.lastIndexOf(folder)));
        const place = JSON.stringify(join(name, dirname(within)));
        const text = await readFile(path, 'utf8');
        return {
          contents: `const __dirname = require('node:path').resolve(__filename, '..', ${place});\n${text}`,
          loader: 'js',
        };
      });
    }
  },
};
