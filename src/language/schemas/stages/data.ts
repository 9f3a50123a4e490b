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
  seed: defaulted(t.integer({ min: 0 }), 17, 'Seed of the split.'),
});

const mix = t.record({
  general: required(t.call('source'), 'The general rows, which counteract forgetting.'),
  share: required(
    t.quantity('ratio', { min: 0, max: 0.9 }),
    'Share of general rows in the mixed training split.',
  ),
});

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
    'What to do with rows that have the same question and different answers.',
  ),
  split: optional(split, 'Shares of the splits; default: every row is for training.'),
  mix: optional(mix, 'General rows mixed into the training split.'),
  limit: optional(t.union(t.integer({ min: 1 }), t.none), 'Maximum number of rows, chosen by the seed.'),
  use: optional(
    t.enum('commercial', 'research'),
    'What the models are for that are trained on the rows: `ftpc checklist` compares it with the licences of their bases.',
    { inert: true },
  ),
} as const;

export type DataSettings = Infer<typeof settings>;

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
    contradictions: { doc: 'Rows that contradict an earlier row.', unit: 'number', known: 'run' },
  },
};
