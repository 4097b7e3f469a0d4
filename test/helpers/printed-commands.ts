/**
 * The commands that a Markdown page tells its reader to type: every line of its fenced `sh` blocks, and every code span
 * that starts like a command of this project. A command that goes on over several lines (an open quote, a backslash at
 * the end) is one command, as printed.
 */
export function printedCommands(markdown: string): string[] {
  return [...fencedBlocks(markdown, 'sh').flatMap(commandsOf), ...commandSpans(markdown)];
}

/** The contents of the fenced blocks of one language. */
export function fencedBlocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(/^```(\S*)\n(.*?)^```$/gms)]
    .filter(([, found]) => found === language)
    .map(([, , content = '']) => content);
}

function commandsOf(block: string): string[] {
  const commands: string[] = [];
  let open = '';
  for (const line of block.split('\n')) {
    const text = open === '' ? line.trim() : `${open}\n${line}`;
    if (text === '' || text.startsWith('#')) continue;
    if (goesOn(text)) {
      open = text;
    } else {
      commands.push(text);
      open = '';
    }
  }
  if (open !== '') throw new Error(`a command that does not end: ${open}`);
  return commands;
}

function goesOn(text: string): boolean {
  const unquoted = text.replace(/'[^']*'|"(?:\\.|[^"\\])*"/gs, '');
  return text.endsWith('\\') || /['"]/.test(unquoted);
}

function commandSpans(markdown: string): string[] {
  const prose = markdown.replace(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)]
    .map(([, code = '']) => code)
    .filter(
      (code) =>
        /^(npm|npx|node|git|\.ci\/run|apt-get|sudo)( |$)/.test(code) && code.includes(' ') && !code.includes('…'),
    );
}
