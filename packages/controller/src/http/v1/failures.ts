import { errorText } from '@sampan/shared/error-text.ts';
import type { Outcomes } from '../../outcomes.ts';

/** The hosts that did not answer, each with its code and the words for it. */
export function failedHosts(outcomes: Outcomes<unknown>): Record<string, { code: string; detail: string }> {
  return Object.fromEntries(
    [...outcomes].flatMap(([host, outcome]) =>
      outcome.ok ? [] : [[host, { code: outcome.error.code, detail: errorText(outcome.error, 'en') }]],
    ),
  );
}
