/** FTP0415…: stages of a classifier, and stages of a model that writes, wired to each other. */
import type { Span } from '../../source/span.js';
import { error, named } from '../make.js';
import type { Diagnostic } from '../types.js';

/** A format stage, and where its template stands. */
interface Rows {
  readonly name: string;
  readonly template: Span;
}

const isLabelled = (rows: Rows) => ({ at: rows.template, message: 'rows with labels' });
const isUnlabelled = (rows: Rows) => ({ at: rows.template, message: 'rows without labels' });

export const headWithoutLabels = (at: Span, rows: Rows): Diagnostic =>
  error('FTP0415', at, `\`head\` trains a head over labels, and the rows of \`${rows.name}\` have none`, {
    label: 'nothing to classify',
    related: [isUnlabelled(rows)],
    help: 'write the rows out with `template = labelled()`, or train an adapter: `using lora`',
  });

/** `wanted`: what the stage needs them for. */
export const rowsMismatch = (
  at: Span,
  rows: Rows,
  found: 'labelled' | 'unlabelled',
  other: { readonly at: Span; readonly message: string },
): Diagnostic =>
  error(
    'FTP0417',
    at,
    found === 'labelled'
      ? `the rows of \`${rows.name}\` have labels, and what reads them writes text`
      : `the rows of \`${rows.name}\` have no labels, and what reads them gives labels`,
    {
      label: found === 'labelled' ? 'labelled rows' : 'rows without labels',
      related: [found === 'labelled' ? isLabelled(rows) : isUnlabelled(rows), other],
      help: 'read rows of the kind that was trained on: give the two kinds a `format` each',
    },
  );

export const metricOfOtherRows = (
  at: Span,
  metric: string,
  rows: Rows,
  found: 'labelled' | 'unlabelled',
  fitting: readonly string[],
): Diagnostic =>
  error(
    'FTP0418',
    at,
    found === 'labelled'
      ? `\`${metric}\` says nothing of a classifier, and the rows of \`${rows.name}\` have labels`
      : `\`${metric}\` is of a classifier, and the rows of \`${rows.name}\` have no labels`,
    {
      label: 'cannot be measured',
      related: [found === 'labelled' ? isLabelled(rows) : isUnlabelled(rows)],
      help: `measure ${named(fitting)}`,
    },
  );

/** A setting that means nothing, or something else, where rows have labels. `why` is half a sentence. */
export const settingWithLabels = (
  at: Span,
  setting: string,
  why: string,
  rows: Rows | undefined,
): Diagnostic =>
  error('FTP0419', at, `\`${setting}\` does not go with labelled rows: ${why}`, {
    label: 'cannot be meant',
    related: rows === undefined ? undefined : [isLabelled(rows)],
    help: `leave \`${setting}\` out`,
  });

export const settingWithHead = (at: Span, setting: string, why: string): Diagnostic =>
  error('FTP0420', at, `\`${setting}\` does not go with \`using head\`: ${why}`, {
    label: 'cannot be meant',
    help: `leave \`${setting}\` out, or train an adapter beside the head: \`using lora\``,
  });
