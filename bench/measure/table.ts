/** A table as text: the first column to the left, all others to the right. Cells must not be wider than they look. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `  ${widths.map((width, column) => align(row[column] ?? '', width, column)).join('  ')}`.trimEnd();
  return [line(head), `  ${widths.map((width) => '-'.repeat(width)).join('  ')}`, ...rows.map(line)].join('\n');
}

/** The same as Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text = '') => text.replaceAll('|', '\\|');
  const line = (cells: readonly string[]) => `| ${head.map((_, column) => cell(cells[column])).join(' | ')} |`;
  return [
    line(head),
    `|${head.map((_, column) => (column === 0 ? '---|' : '---:|')).join('')}`,
    ...rows.map(line),
  ].join('\n');
}

/** A figure with as many decimals as a reader wants. */
export function figure(value: number, unit = ''): string {
  if (Number.isNaN(value)) return '–';
  const text = Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
  return unit === '' ? text : `${text} ${unit}`;
}

/** `1.07 ≤ 1.2 ✓`: a figure against its aim. */
export function against(value: number, aim: number, unit = ''): string {
  return `${figure(value, unit)} ${value <= aim ? '≤' : '>'} ${aim} ${value <= aim ? '✓' : '✗'}`;
}

function align(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
