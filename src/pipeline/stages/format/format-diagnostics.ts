/** What can go wrong in a format stage, as diagnostics. */

import { someLabels } from '../../../compute/models/labels.js';
import { nearest } from '../../../language/diagnostics/did-you-mean.js';
import { counted } from '../../../language/diagnostics/make.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Stage } from '../../../language/ir/program.js';
import type { FormatSettings } from '../../../language/schemas/stages/format.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { DropReason, RowEntry, RowReport } from '../row-report.js';

export function noChatTemplate(path: string, { span }: Pick<Stage, 'span'>): UserError {
  return new UserError({
    code: 'FTP0620',
    severity: 'error',
    message: `the model in \`${path}\` has no chat template`,
    at: span,
    help: 'use `alpaca()` or `completion()`, or add a chat_template.jinja to the folder',
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
  stage: Pick<Stage, 'kind' | 'name' | 'span' | 'settings'>,
  data: Pick<Stage, 'name'>,
  rows: number,
  entries: readonly (RowEntry & { readonly count: number })[],
): UserError {
  const [commonest] = entries;
  return new UserError({
    code: 'FTP0622',
    severity: 'error',
    message: `\`${stage.name}\` can use none of the rows of \`${data.name}\` that were examined`,
    at: stage.span,
    notes: [
      `its sources have ${counted(rows, 'row')}`,
      ...entries.map(
        ({ count, reason, file, line, detail }) => `${count} × ${reason}, first ${file}:${line}: ${detail}`,
      ),
    ],
    help: helpFor(commonest?.reason, settingsOf(stage, 'format')),
  });
}

const shown = (label: string): string => `\`${label}\``;

export function undeclaredLabel(
  { name }: Pick<Stage, 'name'>,
  label: string,
  declared: readonly string[],
  { file, line }: Pick<RowEntry, 'file' | 'line'>,
): UserError {
  const meant = nearest(label, declared);
  return new UserError({
    code: 'FTP0775',
    severity: 'error',
    message: `a row of stage \`${name}\` has the label ${shown(label)}, which is not declared`,
    at: { file, line, column: 0 },
    notes: [`the declared labels are ${someLabels(declared)}`],
    help:
      meant === undefined
        ? 'fix the row, or add the label to `labels`; without `labels`, the labels are those found in the data'
        : `did you mean ${shown(meant)}? Fix the row, or add the label to \`labels\``,
  });
}

export function oneLabel(
  { name, span }: Pick<Stage, 'name' | 'span'>,
  label: string,
  { file, line }: Pick<RowEntry, 'file' | 'line'>,
): UserError {
  return new UserError({
    code: 'FTP0776',
    severity: 'error',
    message: `every row of stage \`${name}\` has the label ${shown(label)}: there is nothing to classify`,
    at: span,
    notes: [`the first of them is ${file}:${line}`],
    help: 'name the column that holds the labels, `labelled(label: "…")`, or add rows with another label',
  });
}

/** `place`: the first row of the label, where there is one. */
export function labelUntrained(
  { name, span }: Pick<Stage, 'name' | 'span'>,
  label: string,
  place: Pick<RowEntry, 'file' | 'line'> | undefined,
): UserError {
  return new UserError({
    code: 'FTP0777',
    severity: 'error',
    message:
      place === undefined
        ? `no row of stage \`${name}\` has the label ${shown(label)}`
        : `no row to train on has the label ${shown(label)}: its only rows are held out by \`${name}\``,
    at: place === undefined ? span : { ...place, column: 0 },
    help:
      place === undefined
        ? 'remove the label from `labels`, or add rows that have it'
        : 'add rows with this label, or remove its rows; a split with another `seed` may put one of them into the training split',
  });
}

/** How to fix what happened to most rows. */
function helpFor(reason: DropReason | undefined, { overflow }: FormatSettings): string {
  const help = HELPS[reason ?? ''];
  // without cutting, no answer was lost: the template wrote none
  if (help === undefined || (reason === 'no_supervised_token' && overflow === 'drop'))
    return 'check the rows with `ftpc preview`, and the `template`';
  return help;
}

const HELPS: Readonly<Record<string, string>> = {
  no_supervised_token:
    'raise `max_length`, so that the answers fit after their prompts, or shorten the prompts',
  too_long: 'raise `max_length`, or set `overflow = truncate`',
  missing_column: 'choose the `template` that fits the columns, or name them with `columns:` in the source',
};
