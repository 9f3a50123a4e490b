/** What answers of a validation can come to. */
import type { AnswersMeasured } from '../../../compute/training/state.js';
import { error } from '../../../language/diagnostics/make.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Stage } from '../../../language/ir/program.js';

type Repetition = Pick<NonNullable<AnswersMeasured['repetition']>, 'share' | 'usual'>;

export const repetitionText = ({ share, usual }: Repetition): string =>
  `answers repeat ${percent(share)} of what they say, the references ${percent(usual)}`;

/** `step`: the last one, of which the answers repeat themselves, as do those of all validations before. */
export const repeatsItself = ({ name, span }: Stage, step: number, found: Repetition) =>
  new UserError(
    error(
      'FTP0855',
      span,
      `\`${name}\` has learnt to repeat itself: after step ${step}, ${repetitionText(found)}`,
      {
        notes: [
          'counted are runs of four words, or tokens, that an answer has said before',
          'no validation before had other answers, so that there is no checkpoint to keep',
        ],
        help: 'lower `rate`, and look at the rows and the `template`: does the model learn where an answer ends?; `watch = { repetition: warn }` goes on',
      },
    ),
  );

export const nothingToAnswer = ({ name, span }: Stage) =>
  new UserError(
    error('FTP0856', span, `no validation row of \`${name}\` has a prompt to answer`, {
      help: 'use a format with prompts, or measure the loss alone: remove `metrics` and `repetition`',
    }),
  );

export const nothingToValidate = ({ name, span }: Stage, metric: string, rows: number) =>
  new UserError(
    error('FTP0857', span, `\`${name}\` has no validation row to measure \`${metric}\` on`, {
      notes: [`${rows} rows are answered; none of them has what the metric needs`],
      help: 'raise the limit of the metric, or `rows` of the validation',
    }),
  );

const percent = (share: number): string => `${Math.round(share * 100)}%`;
