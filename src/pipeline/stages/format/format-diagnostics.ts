/** What can go wrong in a format stage, as diagnostics. */

import { someLabels } from '../../../compute/models/labels.js';
import { nearest } from '../../../language/diagnostics/did-you-mean.js';
import { counted, error, percentText, warning } from '../../../language/diagnostics/make.js';
import { type Diagnostic, UserError } from '../../../language/diagnostics/types.js';
import type { Stage } from '../../../language/ir/program.js';
import type { FormatSettings } from '../../../language/schemas/stages/format.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { type DropCounts, type DropReason, type RowPlace, reasonText } from '../row-report.js';
import type { PreferenceSide } from './encode-row.js';
import type { AnswerLengths } from './preference-rows.js';

const userError = (...diagnostic: Parameters<typeof error>): UserError => new UserError(error(...diagnostic));

export const noChatTemplate = (path: string, { span }: Pick<Stage, 'span'>): UserError =>
  userError('FTP0620', span, `the model in \`${path}\` has no chat template`, {
    help: 'use `alpaca()` or `completion()`, or add a chat_template.jinja to the folder',
  });

export function nothingKept(
  { name, span }: Pick<Stage, 'name' | 'span'>,
  settings: FormatSettings,
  dropped: DropCounts,
): UserError {
  const message =
    dropped.rows === 0
      ? `stage \`${name}\` got no rows from \`${settings.from.stage}\``
      : `stage \`${name}\` kept none of ${dropped.rows} rows`;
  return userError('FTP0621', span, message, whyDropped(dropped, settings));
}

/** Found by a plan: of the rows that were looked at, the stage would keep none. */
export function noRowFits(
  stage: Pick<Stage, 'kind' | 'name' | 'span' | 'settings'>,
  data: Pick<Stage, 'name'>,
  rows: number,
  dropped: DropCounts,
): UserError {
  const { notes, help } = whyDropped(dropped, settingsOf(stage, 'format'));
  const message = `\`${stage.name}\` can use none of the rows of \`${data.name}\` that were examined`;
  return userError('FTP0622', stage.span, message, {
    notes: [`its sources have ${counted(rows, 'row')}`, ...notes],
    help,
  });
}

/** The first row of every reason, and what would fix most of them. */
function whyDropped(dropped: DropCounts, settings: FormatSettings) {
  const { examples } = dropped;
  return {
    notes: examples.map(
      ({ file, line, reason, detail }) =>
        `${dropped.count(reason)} ${reasonText(reason, dropped.count(reason))}, first ${file}:${line}: ${detail}`,
    ),
    help: helpFor(examples[0]?.reason, settings),
  };
}

const shown = (label: string): string => `\`${label}\``;

export function undeclaredLabel(
  { name }: Pick<Stage, 'name'>,
  label: string,
  declared: readonly string[],
  place: RowPlace,
): UserError {
  const meant = nearest(label, declared);
  const message = `a row of stage \`${name}\` has the label ${shown(label)}, which is not declared`;
  return userError('FTP0775', { ...place, column: 0 }, message, {
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
  { file, line }: RowPlace,
): UserError {
  const message = `every row of stage \`${name}\` has the label ${shown(label)}: there is nothing to classify`;
  return userError('FTP0776', span, message, {
    notes: [`the first of them is ${file}:${line}`],
    help: 'name the column that holds the labels, `labelled(label: "…")`, or add rows with another label',
  });
}

/** `place`: the first row of the label, where there is one. */
export function labelUntrained(
  { name, span }: Pick<Stage, 'name' | 'span'>,
  label: string,
  place: RowPlace | undefined,
): UserError {
  if (place === undefined)
    return userError('FTP0777', span, `no row of stage \`${name}\` has the label ${shown(label)}`, {
      help: 'remove the label from `labels`, or add rows that have it',
    });
  const message = `no row to train on has the label ${shown(label)}: its only rows are held out by \`${name}\``;
  return userError('FTP0777', { ...place, column: 0 }, message, {
    help: 'add rows with this label, or remove its rows; a split with another `seed` may put one of them into the training split',
  });
}

/** `longer`: which answers are, in most pairs. */
export function lengthTells(
  { name, span }: Pick<Stage, 'name' | 'span'>,
  longer: PreferenceSide,
  { chosen, rejected, chosenLonger }: AnswerLengths,
): Diagnostic {
  const share = longer === 'chosen' ? chosenLonger : 1 - chosenLonger;
  const message = `in ${percentText(Number(share.toFixed(2)))} of the pairs of \`${name}\` the ${longer} answer is the longer one`;
  return warning('FTP2248', span, message, {
    notes: [
      `a chosen answer has ${chosen.toFixed(0)} tokens on average, a rejected one ${rejected.toFixed(0)}`,
    ],
    help: `a model learns from them to write ${longer === 'chosen' ? 'long' : 'short'} answers; add pairs whose lengths are alike, or use \`simpo\` or \`loss: ipo\`, which take means of tokens`,
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
