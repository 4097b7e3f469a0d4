import { type Ini, IniFault, parseIni } from './ini.ts';
import { refusal } from './refuse.ts';

export const MAX_TEXT_BYTES = 64 * 1024;

/** Controls but tab and line ends, and characters that XML cannot carry: one of them breaks supervisor's answers for every program. */
const UNPRINTABLE = /[^\P{Cc}\t\n\r]|[\ufeff\ufffe\uffff]/u;

/**
 * The sections of a program config.
 * @throws DeployError PROGRAM_CONFIG_REFUSED for a text that supervisor could not read, or not safely.
 */
export function readProgramText(text: string): Ini {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_TEXT_BYTES) throw refusal('text', `${bytes} bytes`, `at most ${MAX_TEXT_BYTES} bytes`);
  if (text.startsWith('\ufeff')) throw refusal('line 1', 'a byte order mark', 'UTF-8 without one');
  const unreadable = text.isWellFormed() ? text.indexOf('\ufffd') : 0;
  if (unreadable >= 0) throw refusal(lineAt(text, unreadable), 'bytes that are not UTF-8', 'UTF-8');
  const control = UNPRINTABLE.exec(text);
  if (control) throw refusal(lineAt(text, control.index), `the character ${codePoint(control[0])}`, 'printable text');
  try {
    return parseIni(text);
  } catch (error) {
    if (error instanceof IniFault) throw refusal(`line ${error.line}`, error.found, error.expected);
    throw error;
  }
}

function lineAt(text: string, index: number): string {
  return `line ${text.slice(0, index).split(/\r\n|\r|\n/).length}`;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
