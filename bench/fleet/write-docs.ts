import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { markdownTable } from '../measure/table.ts';
import type { Machine } from '../place/machine.ts';
import type { FleetTable } from './fleet-bench.ts';

export const SCALING_PAGE = fileURLToPath(new URL('../../docs/scaling.md', import.meta.url));

const BEGIN = '<!-- npm run bench:fleet -- --write-docs -->';
const END = '<!-- end of what npm run bench:fleet has written -->';

/** Puts the tables of a run into the page, in place of those of the last run. @throws Error: the page has no place for them. */
export async function writeDocs(tables: readonly FleetTable[], machine: Machine): Promise<void> {
  const page = await readFile(SCALING_PAGE, 'utf8');
  await writeFile(SCALING_PAGE, withTables(page, tables, machine));
}

/** The page with other tables between its two marks. @throws Error: it lacks one. */
export function withTables(page: string, tables: readonly FleetTable[], machine: Machine): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/scaling.md has no place for tables: ${BEGIN} … ${END}`);
  const { cores, cpu, memoryGib, kernel, node, filesystem } = machine;
  const about = `Measured on ${cores} cores (${cpu}), ${memoryGib} GiB, Linux ${kernel}, Node ${node}, ${filesystem}.`;
  const shown = tables.map(({ head, rows, notes }) => [markdownTable(head, rows), ...notes].join('\n\n'));
  return `${page.slice(0, begin)}${[BEGIN, about, ...shown].join('\n\n')}\n\n${page.slice(end)}`;
}
