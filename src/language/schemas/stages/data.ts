import { defaulted, type Infer, optional, required, type StageSchema, t } from '../schema.js';

const split = t.record({
  train: required(t.quantity('ratio', { min: 0, max: 1 }), 'Share of the groups to train on.'),
  valid: defaulted(
    t.quantity('ratio', { min: 0, max: 1 }),
    0,
    'Share of the groups for validation during training.',
  ),
  test: defaulted(t.quantity('ratio', { min: 0, max: 1 }), 0, 'Share of the groups held out from training.'),
  by: optional(t.filled, 'Column that defines the groups: rows with the same value stay in one split.'),
  stratify: optional(
    t.filled,
    'Column whose values have the same shares in every split, to within a row: labels or domains.',
  ),
  seed: defaulted(t.integer({ min: 0 }), 17, 'Seed of the split.'),
});

const balance = t.record({
  by: required(t.filled, 'Column whose values are balanced: a domain, a label.'),
  at_most: required(
    t.quantity('ratio', { min: 0.001, max: 1 }),
    'Largest share of the training rows that one value may have; surplus rows are dropped and listed.',
  ),
});

const outliers = t.record({
  iqr: optional(
    t.number({ above: 0 }),
    'Rule of Tukey on the logarithm of the length: more than this many interquartile ranges outside the quartiles, and at least twice as long or half as short; `3` if no rule is given.',
  ),
  quantile: optional(
    t.quantity('ratio', { min: 0.5, max: 0.99999 }),
    'Rule of the longest: longer than this part of the rows.',
  ),
  action: defaulted(
    t.enum('warn', 'drop', 'keep'),
    'warn',
    'What to do with them: all are listed in the report; `warn` says so during the run, `drop` leaves them out.',
  ),
});

const mix = t.record({
  general: required(t.call('source'), 'The general rows, which counteract forgetting.'),
  share: required(
    t.quantity('ratio', { min: 0, max: 0.9 }),
    'Share of general rows in the mixed training split.',
  ),
});

const mixedSource = {
  source: required(t.call('source'), 'Rows that are checked, compared and split like those of `source`.'),
  share: optional(
    t.quantity('ratio', { min: 0, max: 0.99 }),
    'Share of the training split; `source` fills what the shares leave.',
  ),
  epochs: optional(
    t.number({ above: 0, max: 1000 }),
    'Instead of a share: how many times each of its rows is in the training split; `0.5` is half of them.',
  ),
} as const;

const settings = {
  source: required(
    t.union(t.call('source'), t.list(t.call('source'), { min: 1 })),
    'Where the rows come from.',
  ),
  schema: optional(t.file, 'JSON Schema that every row must satisfy.'),
  dedupe: defaulted(t.list(t.call('dedupe')), [], 'Which rows count as duplicates of an earlier one.'),
  contradictions: defaulted(
    t.enum('warn', 'drop', 'fail'),
    'warn',
    'What to do with rows that have the same question and different answers; preferences that contradict an earlier one are never kept.',
  ),
  split: optional(split, 'Shares of the splits; default: every row is for training.'),
  mix: optional(
    t.union(mix, t.list(t.record(mixedSource), { min: 1 })),
    'General rows mixed into the training split; or a list of sources that are interleaved with `source` in it, each by its share or by epochs.',
  ),
  stopping_strategy: optional(
    t.enum('first_exhausted', 'all_exhausted'),
    'Where a `mix` of sources by shares ends: `first_exhausted` (the default) when the first source has no more rows, so that none is repeated; `all_exhausted` when each has been used up, those that are too short being repeated.',
  ),
  balance: optional(balance, 'The largest share of the training rows that any value of a column may have.'),
  outliers: optional(
    outliers,
    'Rows that are far longer or shorter than the others, in characters of question and answer, or tokens.',
  ),
  limit: optional(t.union(t.integer({ min: 1 }), t.none), 'Maximum number of rows, chosen by the seed.'),
  use: optional(
    t.enum('commercial', 'research'),
    'What the models are for that are trained on the rows. With `commercial`, rows and bases whose licence forbids it are an error; `ftpc checklist` says what it found.',
    { inert: true },
  ),
  license: optional(
    t.filled,
    'Licence of the rows, as SPDX names it: `CC-BY-4.0`. Default: what the cards or licence files of the sources say.',
    { inert: true },
  ),
} as const;

export type DataSettings = Infer<typeof settings>;

/** A source of a mix of several, by share or by epochs. */
type MixedSource = Infer<typeof mixedSource>;

const isSeveral = (mix: NonNullable<DataSettings['mix']>): mix is readonly MixedSource[] =>
  Array.isArray(mix);

/** The sources that are interleaved with `source`. */
export const mixedSources = ({ mix }: Pick<DataSettings, 'mix'>): readonly MixedSource[] =>
  mix !== undefined && isSeveral(mix) ? mix : [];

/** The rows of which a share is mixed into training alone. */
export const generalMix = ({ mix }: Pick<DataSettings, 'mix'>) =>
  mix === undefined || isSeveral(mix) ? undefined : mix;

export const dataSchema: StageSchema = {
  kind: 'data',
  doc: 'Reads rows, checks each, drops duplicates, finds contradictions, splits by key and mixes in general rows.',
  presets: [],
  settings,
  ports: { '': { type: 'Data', doc: 'The rows with their split.' } },
  metrics: {
    rows: { doc: 'Rows kept.', unit: 'number', known: 'run' },
    dropped: { doc: 'Fraction of the rows that were dropped.', unit: 'ratio', known: 'run', isShare: true },
    duplicates: { doc: 'Rows dropped as exact or near duplicates.', unit: 'number', known: 'run' },
    outliers: { doc: 'Rows of unusual length, by the rule of `outliers`.', unit: 'number', known: 'run' },
    largest_share: {
      doc: 'Largest share of the training rows that one value of the column of `balance` has.',
      unit: 'ratio',
      known: 'run',
      isShare: true,
    },
    contradictions: { doc: 'Rows that contradict an earlier row.', unit: 'number', known: 'run' },
  },
};
