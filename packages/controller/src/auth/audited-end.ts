import { type Outcomes, outcomeCode } from '../outcomes.ts';
import type { AuditedEnd } from '../store/tables.ts';

/** More failed hosts than these are only counted. */
const MOST_NAMED = 100;

/** What the audit trail says of the end: how many hosts came to what, and which of them failed. */
export function auditedEnd(outcomes: Outcomes<unknown>): AuditedEnd {
  const codes = [...outcomes].map(([host, outcome]) => [host, outcomeCode(outcome)] as const);
  const failed = codes.filter(([, code]) => code !== 'OK');
  const counts: Record<string, number> = {};
  for (const [, code] of codes) counts[code] = (counts[code] ?? 0) + 1;
  return {
    outcome: failed.length === 0 ? 'OK' : 'failed',
    details: { counts, failed: Object.fromEntries(failed.slice(0, MOST_NAMED)) },
  };
}
