import { readManifest } from './manifest.ts';
import { type Base, manifestNames, manifestPath } from './meta-files.ts';

/**
 * The numbers of the releases that stand in each base. Of a release that it knows it asks nothing again: many projects may share
 * a base, and each release of any of them would have to be read for each new one.
 */
export class KnownSequences {
  /** By the base's `.meta`, then by name. */
  readonly #known = new Map<string, Map<string, number>>();

  /** The highest number in a base; 0 where there is none. The caller holds the base's lock. */
  async highest(base: Base): Promise<number> {
    const before = this.#known.get(base.metaDir);
    const numbers = await Promise.all(
      (await manifestNames(base)).map(async (name): Promise<[string, number]> => {
        return [name, before?.get(name) ?? (await readManifest(manifestPath(base, name)))?.sequence ?? 0];
      }),
    );
    this.#known.set(base.metaDir, new Map(numbers));
    return Math.max(0, ...numbers.map(([, number]) => number));
  }
}
