import { enAftermath, enTexts } from './error-texts.en.ts';
import { zhAftermath, zhTexts } from './error-texts.zh.ts';
import { asDeployError, type DeployError, type ErrorCode, type ErrorParams } from './errors.ts';
import { fromWire } from './wire-error.ts';

export type Language = 'zh' | 'en';

const languages = {
  zh: { texts: zhTexts, aftermath: zhAftermath },
  en: { texts: enTexts, aftermath: enAftermath },
};

/** The sentence for a person: the code's text and, past the flip, what is current now. Unknown errors read "internal error". */
export function errorText(error: unknown, language: Language): string {
  const known = asDeployError(error);
  const { texts, aftermath } = languages[language];
  const text = render(known, texts);
  if (!known.aftermath) return text;
  return text + aftermath(known.aftermath, (nested) => errorText(fromWire(nested), language));
}

function render<C extends ErrorCode>(
  error: DeployError<C>,
  texts: { [K in ErrorCode]: (params: ErrorParams[K]) => string },
): string {
  return texts[error.code](error.params);
}
