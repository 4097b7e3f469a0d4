/** The kinds of project that Sampan deploys. */
export const languages = ['php', 'java', 'golang'] as const;
export type ProjectLanguage = (typeof languages)[number];

/** What a caller wrote as `language`, ignoring case; `go` means golang. Undefined for anything else. */
export function parseLanguage(text: string): ProjectLanguage | undefined {
  const lower = text.toLowerCase();
  return lower === 'go' ? 'golang' : languages.find((language) => language === lower);
}
