const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
export const MAX_NAME_LENGTH = 128;

/** The rule for project, link, file and directory names, for messages: Chinese, as the documented API speaks. */
export const NAME_RULE = `以字母或数字开头, 只含字母、数字和 . _ -, 不含 "..", 最长 ${MAX_NAME_LENGTH} 个字符`;

/** Whether a name may become part of a path: `[A-Za-z0-9][A-Za-z0-9._-]*`, at most 128 characters, no `..`. */
export function isName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && NAME.test(text) && !text.includes('..');
}

/** What is unpacked; the rest of such a name is the version. */
export const ARCHIVE_ENDINGS = ['.tar.gz', '.tgz', '.tar'] as const;
const BARE_ENDINGS = ['.jar', '.war'] as const;

/** How an artifact is laid out: a tar to unpack, or a bare file that is the release itself. */
export type ArtifactKind = 'tar' | 'file';

/** What `filename` is, by its ending; undefined for an ending that Sampan does not deploy. */
export function artifactKind(filename: string): ArtifactKind | undefined {
  if (ARCHIVE_ENDINGS.some((ending) => filename.endsWith(ending) && filename.length > ending.length)) return 'tar';
  if (BARE_ENDINGS.some((ending) => filename.endsWith(ending) && filename.length > ending.length)) return 'file';
  return undefined;
}

export const FILENAME_RULE = `以 ${[...ARCHIVE_ENDINGS, ...BARE_ENDINGS].join(' ')} 结尾的文件名`;

/** The version that people know: `filename` less its archive ending; a bare jar or war keeps its whole name. */
export function versionOf(filename: string): string {
  const ending = ARCHIVE_ENDINGS.find((candidate) => filename.endsWith(candidate));
  return ending === undefined ? filename : filename.slice(0, -ending.length);
}
