import { defaulted, type Infer, optional, type Port, required, type StageSchema, t } from '../schema.js';

const settings = {
  from: required(t.port('Data'), 'The data stage whose rows are turned into text and tokens.'),
  template: required(t.call('template'), 'How a row becomes text.'),
  model: optional(
    t.call('model'),
    'The model whose tokenizer and chat template are used; default: the base that is trained on these rows, if there is only one.',
  ),
  max_length: defaulted(t.quantity('tokens', { min: 8 }), 512, 'Longest row in tokens.'),
  overflow: defaulted(t.enum('drop', 'truncate', 'split'), 'drop', 'What to do with a longer row.'),
  loss_on: defaulted(
    t.enum('assistant', 'last', 'all'),
    'assistant',
    'Which tokens the loss counts: those of every answer, of the last answer, or all.',
  ),
} as const;

export type FormatSettings = Infer<typeof settings>;

const dialogs = (doc: string): Port => ({ type: 'Dialogs', doc });

export const formatSchema: StageSchema = {
  kind: 'format',
  doc: 'Renders rows with a template, tokenizes them, and marks the tokens that are supervised.',
  presets: [],
  settings,
  ports: {
    train: dialogs('Rows to train on.'),
    valid: dialogs('Rows for validation during training.'),
    test: dialogs('Rows that are not trained on.'),
    all: dialogs('All rows.'),
  },
  metrics: {
    rows: { doc: 'Rows kept.', unit: 'number', known: 'run' },
    dropped: { doc: 'Fraction of the rows that were dropped.', unit: 'ratio', known: 'run', isShare: true },
    supervised: {
      doc: 'Fraction of the tokens that the loss counts.',
      unit: 'ratio',
      known: 'run',
      isShare: true,
    },
    tokens: { doc: 'Tokens of all rows.', unit: 'tokens', known: 'run' },
    longest: { doc: 'Tokens of the longest row.', unit: 'tokens', known: 'run' },
  },
};
