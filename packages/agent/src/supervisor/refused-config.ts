/** The file that supervisor's words are about, where they name one. */
export function fileNamedIn(words: string): string | undefined {
  return /(?:file: |parsing errors: )'([^']+)'/.exec(words)?.[1];
}

/** Supervisor's words without their line breaks. */
export function oneLine(words: string): string {
  return words
    .split('\n')
    .map((line) => line.trim())
    .join(' ');
}
