/** What can go wrong in a format stage, as diagnostics. */
import { UserError } from '../../diagnostics/types.js';
import type { Stage } from '../../ir/types.js';
import type { DropReason, RowEntry, RowReport } from '../row-report.js';
import type { FormatSettings } from './schema.js';

export function noChatTemplate(path: string, { span }: Pick<Stage, 'span'>): UserError {
  return new UserError({
    code: 'FTP0620',
    severity: 'error',
    message: `the model in \`${path}\` has no chat template`,
    at: span,
    help: 'use `alpaca()` or `completion()`, or put a chat_template.jinja into the folder',
  });
}

export function nothingKept(
  stage: Pick<Stage, 'name' | 'span'>,
  settings: FormatSettings,
  report: RowReport,
): UserError {
  const rows = report.dropped;
  return new UserError({
    code: 'FTP0621',
    severity: 'error',
    message:
      rows === 0
        ? `stage \`${stage.name}\` got no rows from \`${settings.from.stage}\``
        : `stage \`${stage.name}\` kept none of ${rows} rows`,
    at: stage.span,
    notes: report.examples.map(
      ({ file, line, reason, detail }) =>
        `${report.count(reason)} × ${reason}, first ${file}:${line}: ${detail}`,
    ),
    help: helpFor(report.examples[0]?.reason, settings),
  });
}

/** Found by a plan: of the rows that were looked at, the stage would keep none. `entries`: the first of every reason. */
export function noRowFits(
  stage: Pick<Stage, 'name' | 'span' | 'settings'>,
  data: Pick<Stage, 'name'>,
  rows: number,
  entries: readonly (RowEntry & { readonly count: number })[],
): UserError {
  const [commonest] = entries;
  return new UserError({
    code: 'FTP0622',
    severity: 'error',
    message: `\`${stage.name}\` can use none of the rows of \`${data.name}\` that were looked at`,
    at: stage.span,
    notes: [
      `its sources have ${rows} ${rows === 1 ? 'row' : 'rows'}`,
      ...entries.map(
        ({ count, reason, file, line, detail }) => `${count} × ${reason}, first ${file}:${line}: ${detail}`,
      ),
    ],
    help: helpFor(commonest?.reason, stage.settings as unknown as FormatSettings),
  });
}

/** How to mend what befell most rows. */
function helpFor(reason: DropReason | undefined, { overflow }: FormatSettings): string {
  const help = HELPS[reason ?? ''];
  // without cutting, no answer was lost: the template wrote none
  if (help === undefined || (reason === 'no_supervised_token' && overflow === 'drop'))
    return 'check the rows with `ftpc preview`, and the `template`';
  return help;
}

const HELPS: Readonly<Record<string, string>> = {
  no_supervised_token:
    'raise `max_length`, so that the answers fit behind their prompts, or shorten the prompts',
  too_long: 'raise `max_length`, or set `overflow = truncate`',
  missing_column: 'choose the `template` that fits the columns, or name them with `columns:` in the source',
};
