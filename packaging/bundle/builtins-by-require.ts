import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Gets Node's own modules by `require` instead of `import`: an import reads every property of the module, and some are
 * getters that load much more (`node:http` has WebSocket, and brings all of Node's inner undici: 14 MiB).
 */
export const builtinsByRequire: Plugin = {
  name: 'builtins-by-require',
  setup(build) {
    const namespace = 'builtin';
    build.onResolve({ filter: /.*/ }, ({ path, kind, namespace: from }) =>
      kind === 'import-statement' && from !== namespace && isBuiltin(path)
        ? { path, namespace, sideEffects: false }
        : undefined,
    );
    build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
      loader: 'js',
    }));
  },
};
