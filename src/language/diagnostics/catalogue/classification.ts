/** FTP0415…: stages for classifiers connected to stages for generative models. */
import type { Span } from '../../source/span.js';
import { error, named } from '../make.js';
import type { Diagnostic } from '../types.js';

/** A format stage, and the span of its template. */
interface FormatStage {
  readonly name: string;
  readonly template: Span;
}

const labelledRows = (rows: FormatStage) => ({ at: rows.template, message: 'rows with labels' });
const unlabelledRows = (rows: FormatStage) => ({ at: rows.template, message: 'rows without labels' });

export const headWithoutLabels = (at: Span, rows: FormatStage): Diagnostic =>
  error(
    'FTP0415',
    at,
    `\`head\` trains a classification head, but the rows of \`${rows.name}\` have no labels`,
    {
      label: 'nothing to classify',
      related: [unlabelledRows(rows)],
      help: 'use `template = labelled()` in the format stage, or train an adapter: `using lora`',
    },
  );

export const rowsMismatch = (
  at: Span,
  rows: FormatStage,
  found: 'labelled' | 'unlabelled',
  other: { readonly at: Span; readonly message: string },
): Diagnostic =>
  error(
    'FTP0417',
    at,
    found === 'labelled'
      ? `the rows of \`${rows.name}\` have labels, but the stage that reads them works on text`
      : `the rows of \`${rows.name}\` have no labels, but the stage that reads them classifies`,
    {
      label: found === 'labelled' ? 'labelled rows' : 'rows without labels',
      related: [found === 'labelled' ? labelledRows(rows) : unlabelledRows(rows), other],
      help: 'read the same kind of rows that the model was trained on: give each kind its own `format` stage',
    },
  );

export const metricOfOtherRows = (
  at: Span,
  metric: string,
  rows: FormatStage,
  found: 'labelled' | 'unlabelled',
  fitting: readonly string[],
): Diagnostic =>
  error(
    'FTP0418',
    at,
    found === 'labelled'
      ? `\`${metric}\` does not apply to classifiers, and the rows of \`${rows.name}\` have labels`
      : `\`${metric}\` is a metric for classifiers, but the rows of \`${rows.name}\` have no labels`,
    {
      label: 'cannot be measured',
      related: [found === 'labelled' ? labelledRows(rows) : unlabelledRows(rows)],
      help: `measure ${named(fitting)}`,
    },
  );

/** A setting without a meaning for labelled rows. `why`: half a sentence. */
export const settingWithLabels = (
  at: Span,
  setting: string,
  why: string,
  rows: FormatStage | undefined,
): Diagnostic =>
  error('FTP0419', at, `\`${setting}\` cannot be combined with labelled rows: ${why}`, {
    label: 'conflicting settings',
    related: rows === undefined ? undefined : [labelledRows(rows)],
    help: `leave \`${setting}\` out`,
  });

export const settingWithHead = (at: Span, setting: string, why: string): Diagnostic =>
  error('FTP0420', at, `\`${setting}\` cannot be combined with \`using head\`: ${why}`, {
    label: 'conflicting settings',
    help: `remove \`${setting}\`, or train an adapter along with the head: \`using lora\``,
  });
