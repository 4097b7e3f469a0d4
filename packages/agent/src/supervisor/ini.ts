/** A value with the line (from 1) on which its key stands. */
export interface IniValue {
  text: string;
  line: number;
}

export interface IniSection {
  name: string;
  /** The line of its first header. */
  line: number;
  /** By key, in lower case. */
  values: Map<string, IniValue>;
}

/** Sections by name, in the order in which they first occur. */
export type Ini = Map<string, IniSection>;

/** A line that supervisor cannot read either. */
export class IniFault extends Error {
  readonly line: number;
  readonly found: string;
  readonly expected: string;

  constructor(line: number, found: string, expected: string) {
    super(`line ${line}: found ${found}, expected ${expected}`);
    this.name = 'IniFault';
    this.line = line;
    this.found = found;
    this.expected = expected;
  }
}

/**
 * Reads a text as supervisor 4 does: Python's RawConfigParser with `;` and `#` comments after a space, continuation
 * lines, `=` or `:`, keys in lower case; of a section or key that occurs again, the later values win.
 * @throws IniFault
 */
export function parseIni(text: string): Ini {
  const reader = new Reader();
  text.split(/\r\n|\r|\n/).forEach((line, index) => {
    reader.read(line, index + 1);
  });
  return reader.finish();
}

/** The line without its comment, looked for as Python does: the first `;` and the first `#` together, then the second ones … */
function uncommented(line: string): { text: string; hadComment: boolean } {
  if (/^\s*[#;]/.test(line)) return { text: '', hadComment: true };
  let places = [';', '#'].map((prefix) => ({ prefix, at: -1 }));
  while (places.length > 0) {
    places = places.map(({ prefix, at }) => ({ prefix, at: line.indexOf(prefix, at + 1) })).filter(({ at }) => at >= 0);
    const starts = places.map(({ at }) => at).filter((at) => at === 0 || /\s/.test(line[at - 1] ?? ''));
    if (starts.length > 0) return { text: line.slice(0, Math.min(...starts)).trim(), hadComment: true };
  }
  return { text: line.trim(), hadComment: false };
}

class Reader {
  readonly #sections: Ini = new Map();
  #section: IniSection | undefined;
  #value: IniValue | undefined;
  #indent = 0;

  read(line: string, number: number): void {
    const { text, hadComment } = uncommented(line);
    const indent = line.search(/\S/);
    if (text === '') {
      if (!hadComment && this.#value) this.#value.text += '\n';
    } else if (this.#value && indent > this.#indent) {
      this.#value.text += `\n${text}`;
    } else {
      this.#indent = indent;
      this.#readNew(text, number);
    }
  }

  finish(): Ini {
    for (const section of this.#sections.values()) {
      for (const value of section.values.values()) value.text = value.text.trimEnd();
    }
    return this.#sections;
  }

  #readNew(text: string, line: number): void {
    const header = /^\[(.+)\]/s.exec(text)?.[1];
    if (header !== undefined) this.#open(header, line);
    else if (this.#section) this.#add(this.#section, text, line);
    else throw new IniFault(line, JSON.stringify(text.slice(0, 80)), 'a section header such as [program:name]');
  }

  #open(name: string, line: number): void {
    this.#section = this.#sections.get(name) ?? { name, line, values: new Map() };
    this.#sections.set(name, this.#section);
    this.#value = undefined;
  }

  #add(section: IniSection, text: string, line: number): void {
    const [, key, value] = /^(.*?)\s*[=:]\s*(.*)$/s.exec(text) ?? [];
    if (!key || value === undefined) throw new IniFault(line, JSON.stringify(text.slice(0, 80)), 'key=value');
    this.#value = { text: value, line };
    section.values.set(key.toLowerCase(), this.#value);
  }
}
