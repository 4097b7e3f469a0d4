import type { Plugin } from 'esbuild';

/** zod's `z` holds error texts in fifty languages, and all of them are loaded. We show the English ones only. */
export const englishZod: Plugin = {
  name: 'english-zod',
  setup(build) {
    build.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};
