/** Prints one line, or several. */
export function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Prints beside what was asked for, so that `$(…)` takes only that. */
export function printNote(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Prints a value for programs. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Prints rows for people: a header in capitals, columns as wide as they need to be. Without rows it prints `none`. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[], none: string): void {
  const all = [header.map((name) => name.toUpperCase()), ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  print(...(rows.length === 0 ? [none] : lines.map((line) => line.trimEnd())));
}
