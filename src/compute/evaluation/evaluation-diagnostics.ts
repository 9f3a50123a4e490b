/** What a user can cause in an evaluation, as diagnostics. */
import { userError } from '../../language/diagnostics/make.js';
import type { Place } from '../../language/diagnostics/types.js';
import type { Span } from '../../language/source/span.js';
import { someLabels } from '../models/labels.js';

export const metricTwice = (name: string, at: Span) =>
  userError('FTP0701', at, `the metric \`${name}\` appears twice in \`metrics\``, {
    help: 'keep one of them: a `require` could not distinguish them; to measure both, write two eval stages',
  });

export const nothingToMeasure = (name: string, rows: number, at: Span) =>
  userError('FTP0703', at, `there are no rows to measure \`${name}\` on`, {
    notes: [
      `${rows} rows are held out; none of them has what the metric needs (a supervised token, a prompt to answer, a reference that is short enough)`,
    ],
    help: 'raise the limit of the metric, or hold out other rows',
  });

export const noRows = (dataset: string, at: Span) =>
  userError('FTP0704', at, `\`${dataset}\` has no rows to evaluate on`, {
    help: 'give the split of the data stage a larger share',
  });

export const foreignTokens = (label: string, id: number, vocab: number, at: Span) =>
  userError(
    'FTP0705',
    at,
    `\`${label}\` cannot read the tokens of the rows: id ${id} is outside its vocabulary of ${vocab}`,
    {
      help: 'compare with a model that has the same tokenizer, or format the rows with the tokenizer of this one',
    },
  );

export const noNumbers = (label: string, at?: Span) =>
  userError('FTP0706', at, `\`${label}\` produced a loss or logits that are not finite`, {
    help: 'check its weights for values that are not finite; if f16 overflows, use bf16 or f32',
  });

/** `isPart`: so many tokens were counted, and there are more. */
export const promptTooLong = (label: string, tokens: number, most: number, at?: Place, isPart = false) =>
  userError(
    'FTP0707',
    at,
    tokens === 0
      ? 'the prompt is empty'
      : `the prompt has ${isPart ? 'more than ' : ''}${tokens} tokens, but \`${label}\` accepts fewer than ${most}`,
    { help: tokens === 0 ? 'write a question' : 'shorten the prompt, or begin a new conversation' },
  );

/** `labels`: those of the model; left out if it gives none. */
export function otherLabels(
  found: { readonly label: string; readonly labels?: readonly string[] },
  rows: { readonly name: string; readonly labels?: readonly string[] },
  at: Span,
) {
  const { label: model, labels } = found;
  const isReward = labels?.length === 1;
  const kind = isReward ? 'reward model' : 'classifier';
  const foreign = rows.labels?.find((name) => !labels?.includes(name));
  const message =
    labels === undefined
      ? `\`${model}\` is not a classifier, but the rows of \`${rows.name}\` have labels`
      : rows.labels === undefined
        ? `\`${model}\` is a ${kind}, but the rows of \`${rows.name}\` ${isReward ? 'are no preferences' : 'have no labels'}`
        : `\`${model}\` does not know the label \`${foreign}\` of the rows of \`${rows.name}\``;
  return userError('FTP0778', at, message, {
    ...(labels === undefined ? {} : { notes: [`it knows ${someLabels(labels)}`] }),
    help:
      rows.labels === undefined
        ? `use \`template = ${isReward ? 'preference' : 'labelled'}()\` in the format stage`
        : 'evaluate a model that was trained on rows with these labels',
  });
}

export const noScorer = (label: string, at: Span) =>
  userError('FTP2244', at, `\`${label}\` is no reward model: it has no head of one score`, {
    help: 'name a model that `objective = reward()` trained, or a folder of transformers with `num_labels` 1',
  });

export const foreignScorer = (scorer: string, subject: string, at: Span) =>
  userError('FTP2245', at, `the reward model \`${scorer}\` has another tokenizer than \`${subject}\``, {
    help: 'train a reward model on a base with the same tokenizer',
  });

export const labelWithoutRow = (dataset: string, label: string, labels: number, at: Span) =>
  userError(
    'FTP0779',
    at,
    `no row of \`${dataset}\` has the label \`${label}\`, so its F1 cannot be computed`,
    {
      notes: [`\`f1\` is the mean over all ${labels} labels`],
      help: 'hold out more rows, or rows of every label; or measure `accuracy` alone',
    },
  );

export const classifierAsked = (label: string) =>
  userError(
    'FTP0780',
    undefined,
    `\`${label}\` is a classifier: it assigns labels and does not generate text`,
    { help: 'run `ftpc classify MODEL TEXT`' },
  );

export const noClassifier = (label: string) =>
  userError('FTP0781', undefined, `\`${label}\` is not a classifier: it has no labels`, {
    help: 'ask it with `ftpc generate MODEL QUESTION`, or train a classifier on labelled rows',
  });

export const unknownToken = (
  label: string,
  { token, id, vocab }: { readonly token: string; readonly id: number; readonly vocab: number },
  at?: Place,
) =>
  userError(
    'FTP0871',
    at,
    `\`${label}\` cannot read \`${token}\`: the tokenizer gives it the id ${id}, but the model has only ${vocab} tokens`,
    {
      help: 'use the tokenizer and the weights of the same model, or resize the model’s embeddings to the tokenizer',
    },
  );

export function rowsTooLong(found: {
  readonly label: string;
  /** Positions of the model. */
  readonly most: number;
  readonly rows: number;
  /** Where the first of them is. */
  readonly first: string;
  readonly at: Span;
}) {
  const { label, most, rows, first, at } = found;
  return userError(
    'FTP0875',
    at,
    `\`${label}\` has ${most} positions, but ${rows === 1 ? '1 row is' : `${rows} rows are`} longer`,
    {
      notes: [`the first of them is ${first}`],
      help: `give the format stage \`max_length = ${most}tok\`, or use a model with more positions`,
    },
  );
}
