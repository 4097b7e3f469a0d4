import { Command, Option } from 'commander';
import { Audit, type AuditRecord } from '../auth/audit.ts';
import { parseName, parsePeriod } from './arguments.ts';
import { printJson, printTable } from './print.ts';
import { type CommandContext, runCommand } from './run-command.ts';

interface AuditOptions {
  since: number;
  project?: string;
  json?: true;
}

const HEADER = ['time', 'who', 'from', 'action', 'project', 'outcome', 'what'];
const DAY_MS = 24 * 3_600_000;
/** More hosts than these are counted only. */
const MOST_SHOWN = 3;

/** `audit`: who did what, and what came of it. */
export function auditCommand(): Command {
  return new Command('audit')
    .description('who did what, on which hosts, and what came of it')
    .addOption(
      new Option('--since <span>', 'how far back, such as 30m or 7d').argParser(parsePeriod).default(DAY_MS, '24h'),
    )
    .option('--project <name>', 'of this project only', parseName)
    .option('--json', 'for programs, with all that is known')
    .action((options: AuditOptions, self: Command) => runCommand(self, (context) => show(context, options)));
}

async function show({ db }: CommandContext, { since, project, json }: AuditOptions): Promise<void> {
  const records = await new Audit(db).list({ sinceMs: Date.now() - since, project });
  if (json) printJson(records.map(shown));
  else printTable(HEADER, records.map(row), 'nothing was done');
}

function row(record: AuditRecord): string[] {
  const { at, who, address, action, project, outcome } = record;
  return [`${at.slice(0, 19).replace('T', ' ')}Z`, who, address ?? '-', action, project ?? '-', outcome, what(record)];
}

/** What it was about, or what came of it, as short as a line of a table must be. */
function what({ hosts, details = {} }: AuditRecord): string {
  const { counts: _, failed, ...facts } = details;
  const told = Object.entries(facts).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const failures = Object.entries(failed ?? {}).map(([host, code]) => `${host}: ${code}`);
  return [...(hosts ? [shortened(hosts)] : []), ...told, ...(failures.length > 0 ? [shortened(failures)] : [])].join(
    ' ',
  );
}

function shortened(list: readonly string[]): string {
  const more = list.length - MOST_SHOWN;
  return list.slice(0, MOST_SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** As programs read it: null for what is not. */
function shown(record: AuditRecord) {
  return {
    at: record.at,
    who: record.who,
    address: record.address ?? null,
    action: record.action,
    project: record.project ?? null,
    hosts: record.hosts ?? null,
    outcome: record.outcome,
    operation_id: record.operationId ?? null,
    details: record.details ?? null,
  };
}
