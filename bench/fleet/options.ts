import { parseArgs } from 'node:util';

/** The parts of the fleet's benchmark, in the order in which they run. */
export const PARTS = ['growth', 'beside'] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  /** A smoke run: few agents, one round. Its figures say nothing. */
  quick: boolean;
  /** Where the figures are written as JSON. */
  json: string | undefined;
  /** Whether the tables go into docs/scaling.md. */
  writeDocs: boolean;
  /** A directory to work in, instead of a volume of the benchmark's own. */
  dir: string | undefined;
  parts: readonly Part[];
}

export const USAGE = `npm run bench:fleet -- [--quick] [--json FILE] [--write-docs] [--dir DIR] [--only PART]...
  --quick       a smoke run in seconds; its figures say nothing
  --json FILE   the figures as data, beside the tables
  --write-docs  the tables into docs/scaling.md, in place of those of the last run; not with --quick or --only
  --dir DIR     work below DIR (default: a journaled ext4 in memory for root, else a tmpfs)
  --only PART   ${PARTS.join(', ')}; may be repeated`;

/** @throws Error in words for a person. */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      dir: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  const { quick, json, dir, only, 'write-docs': writeDocs } = values;
  const unknown = only.find((name) => !isPart(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: expected one of ${PARTS.join(', ')}`);
  if (writeDocs && (quick || only.length > 0)) throw new Error('--write-docs: only a whole run is written down');
  const parts = only.length === 0 ? PARTS : PARTS.filter((part) => only.includes(part));
  return { quick, json, writeDocs, dir, parts };
}

function isPart(name: string): name is Part {
  return (PARTS as readonly string[]).includes(name);
}
