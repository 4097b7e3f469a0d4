const MAX_CHARACTERS = 80;

const WORDS = { zh: { list: '列表', object: '对象' }, en: { list: 'a list', object: 'an object' } };

/** What a caller sent, as a message shows it: short, on one line, and never more than the outside of lists and objects. */
export function describeValue(value: unknown, language: 'zh' | 'en' = 'zh'): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return WORDS[language].list;
  if (typeof value === 'object' && value !== null) return WORDS[language].object;
  return String(value);
}

/** Escapes what could hide in a line of text, or turn the rest of it around. */
export function escapeHidden(text: string): string {
  return text.replace(/\p{C}/gu, (character) => {
    const hex = (character.codePointAt(0) ?? 0).toString(16);
    return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
  });
}

function quote(text: string): string {
  return escapeHidden(JSON.stringify(text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text));
}
