import { parseArgs } from 'node:util';

/** The parts of the benchmark, in the order in which they run. */
export const PARTS = ['unpack', 'small-release', 'memory', 'worker-or-child', 'log-tail'] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  /** A smoke run: small packages, few rounds. Its figures say nothing. */
  quick: boolean;
  /** Where the figures are written as JSON. */
  json: string | undefined;
  /** A directory to work in, instead of a volume of the benchmark's own. */
  dir: string | undefined;
  parts: readonly Part[];
}

export const USAGE = `npm run bench -- [--quick] [--json FILE] [--dir DIR] [--only PART]...
  --quick      a smoke run in seconds; its figures say nothing
  --json FILE  the figures as data, beside the tables
  --dir DIR    work below DIR (default: a journaled ext4 in memory for root, else a tmpfs)
  --only PART  ${PARTS.join(', ')}; may be repeated`;

/** @throws Error in words for a person. */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      dir: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  const unknown = values.only.find((name) => !isPart(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: expected one of ${PARTS.join(', ')}`);
  const parts = values.only.length === 0 ? PARTS : PARTS.filter((part) => values.only.includes(part));
  return { quick: values.quick, json: values.json, dir: values.dir, parts };
}

function isPart(name: string): name is Part {
  return (PARTS as readonly string[]).includes(name);
}
