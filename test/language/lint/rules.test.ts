import { expect } from 'chai';
import { applyEdits } from '../../../src/language/diagnostics/apply.js';
import { rules } from '../../../src/language/lint/index.js';
import { adapterRules } from '../../../src/language/lint/rules/adapters.js';
import { BASE, changed, linted, rowsOf } from './linted.js';

type Edit = readonly [from: string, to: string];

interface Case {
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly files?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly found?: readonly string[];
}

const RATE = 'rate: 2e-4';
const SCRATCH = 'untrained("model")';
const FULL: Edit = ['train adapter {', 'train adapter using full {'];
const HEAD: readonly Edit[] = [
  ['import { chat }', 'import { labelled }'],
  ['import { perplexity }', 'import { f1 }'],
  ['template = chat()', 'template = labelled(text: "instruction", label: "output")'],
  ['train adapter {', 'train adapter using head {'],
  ['  lora = { rank: 16, alpha: 32, dropout: 5% }\n', ''],
  ['  mix = { general: jsonl("data/general.jsonl"), share: 5% }\n', ''],
  ['  baseline = starter()\n', ''],
  ['[perplexity]', '[f1]'],
  ['require perplexity < baseline.perplexity', 'require f1 > 80%'],
];
const NO_LORA_OR_DROPOUT: Edit = ['  lora = { rank: 16, alpha: 32 }\n', ''];
const NO_LORA: Edit = ['  lora = { rank: 16, alpha: 32, dropout: 5% }\n', ''];

/** A baseline without tokens reads other rows. */
const OWN_BASELINE: Edit = ['baseline = starter()', 'baseline = starter(special_tokens: ["<a>"])'];

const LARGE: Edit = ['base = starter()', `base = hf("org/model", revision: "${'a'.repeat(40)}")`];

/** Preferences are learned from, and nothing is evaluated. */
const preferring = (objective: string, rate: string): readonly Edit[] => [
  ['import { chat }', 'import { preference }'],
  ['import { perplexity } from "std/eval"\n', ''],
  ['chat()', 'preference()'],
  ['train adapter {', `// allow(never-evaluated): people do\ntrain adapter {\n  objective = ${objective}`],
  [', dropout: 5%', ''],
  [RATE, `rate: ${rate}`],
  ['epochs: 2', 'epochs: 1'],
  ['  mix = { general: jsonl("data/general.jsonl"), share: 5% }\n', ''],
  [BASE.slice(BASE.indexOf('eval quality')), ''],
];
const PAIR_ROWS = { 'data/rows.jsonl': '{"prompt":"a","chosen":"b","rejected":"c"}\n'.repeat(4000) };

/** Of a large base that was taught to answer. */
const INSTRUCTED: Edit = [
  'base = starter()',
  `base = hf("org/model-Instruct", revision: "${'a'.repeat(40)}")`,
];
const based = (name: string): Edit => [
  'base = starter()',
  `base = hf("${name}", revision: "${'a'.repeat(40)}")`,
];

interface PreferenceCase {
  readonly objective: string;
  readonly rate?: string;
  readonly edits?: readonly Edit[];
  readonly found?: readonly string[];
}
const PREFERENCES: readonly PreferenceCase[] = [
  { objective: 'dpo()', rate: '4.9e-5', edits: [INSTRUCTED] },
  { objective: 'dpo()', rate: '5e-5', edits: [INSTRUCTED], found: ['preference-rate-too-high'] },
  { objective: 'kto()', rate: '5e-5', edits: [INSTRUCTED], found: ['preference-rate-too-high'] },
  { objective: 'simpo()', rate: '5e-5', edits: [INSTRUCTED], found: ['preference-rate-too-high'] },
  { objective: 'dpo()', rate: '4.9e-6', edits: [INSTRUCTED, FULL, NO_LORA_OR_DROPOUT] },
  {
    objective: 'dpo()',
    rate: '5e-6',
    edits: [INSTRUCTED, FULL, NO_LORA_OR_DROPOUT],
    found: ['preference-rate-too-high'],
  },
  { objective: 'orpo()', rate: '4.9e-4', edits: [INSTRUCTED] },
  { objective: 'orpo()', rate: '5e-4', edits: [INSTRUCTED], found: ['preference-rate-too-high'] },
  { objective: 'reward()', rate: '1e-4', edits: [INSTRUCTED] },
  { objective: 'reward()', rate: '5e-4', edits: [INSTRUCTED], found: ['preference-rate-too-high'] },
  { objective: 'dpo()', rate: '9e-4' },
  { objective: 'dpo()', rate: '1e-3', found: ['preference-rate-too-high'] },

  { objective: 'dpo(beta: 0.5)' },
  { objective: 'dpo(beta: 0.51)', found: ['beta-out-of-range'] },
  { objective: 'dpo(beta: 0.009)', found: ['beta-out-of-range'] },
  { objective: 'dpo(beta: 0.9, loss: ipo)' },
  { objective: 'dpo(beta: 1.1, loss: ipo)', found: ['beta-out-of-range'] },
  { objective: 'kto(beta: 0.6)', found: ['beta-out-of-range'] },
  { objective: 'orpo(beta: 1)' },
  { objective: 'orpo(beta: 0.01)', found: ['beta-out-of-range'] },
  { objective: 'simpo(beta: 0.1)', found: ['beta-out-of-range'] },
  { objective: 'simpo(beta: 10)' },

  { objective: 'dpo()', edits: [['epochs: 1', 'epochs: 2']], found: ['preferences-more-than-once'] },
  { objective: 'reward()', edits: [['epochs: 1', 'epochs: 4']], found: ['preferences-more-than-once'] },
  { objective: 'orpo()', edits: [['epochs: 1', 'epochs: 3']] },
  { objective: 'orpo()', edits: [['epochs: 1', 'epochs: 4']], found: ['too-many-epochs'] },

  {
    objective: 'dpo()',
    rate: '5e-6',
    edits: [based('HuggingFaceTB/SmolLM2-135M')],
    found: ['no-sft-before'],
  },
  { objective: 'kto()', rate: '5e-6', edits: [based('Qwen/Qwen3-4B-Base')], found: ['no-sft-before'] },
  { objective: 'simpo()', rate: '5e-6', edits: [based('google/gemma-3-270m')], found: ['no-sft-before'] },
  { objective: 'dpo()', rate: '5e-6', edits: [based('google/gemma-3-270m-it')] },
  { objective: 'dpo()', rate: '5e-6', edits: [based('HuggingFaceTB/SmolLM2-135M-Instruct')] },
  { objective: 'dpo()', rate: '5e-6', edits: [based('Qwen/Qwen3-4B')] },
  { objective: 'orpo()', rate: '5e-5', edits: [based('HuggingFaceTB/SmolLM2-135M')] },
  { objective: 'reward()', rate: '5e-5', edits: [based('HuggingFaceTB/SmolLM2-135M')] },
];

const PINNED = { commit: 'a'.repeat(40), files: {} };
const EMPTY = { models: {}, data: {}, files: {}, modules: {} };
const lock = (sections: object): string => JSON.stringify({ version: 1, ...EMPTY, ...sections });
const ROWS = { bytes: 8, sha256: 'b'.repeat(64), rows: 300 };

const CASES: readonly Case[] = [
  { name: 'the frame is clean', edits: [] },

  { name: '1e-4 is a rate for LoRA', edits: [[RATE, 'rate: 1e-4']] },
  { name: '3e-4 is a rate for LoRA', edits: [[RATE, 'rate: 3e-4']] },
  { name: '9e-5 is too low for LoRA', edits: [[RATE, 'rate: 9e-5']], found: ['rate-out-of-range'] },
  {
    name: '3.1e-4 is too high for LoRA',
    edits: [LARGE, [RATE, 'rate: 3.1e-4']],
    found: ['rate-out-of-range'],
  },
  { name: '1e-2 is a rate for LoRA on a base of a few million parameters', edits: [[RATE, 'rate: 1e-2']] },
  { name: '2e-2 is too high there, too', edits: [[RATE, 'rate: 2e-2']], found: ['rate-out-of-range'] },
  {
    name: '2e-4 is too high for full fine-tuning',
    edits: [LARGE, FULL, NO_LORA],
    found: ['rate-out-of-range'],
  },
  { name: '1e-3 is a rate for all weights of a small base', edits: [FULL, NO_LORA, [RATE, 'rate: 1e-3']] },
  {
    name: '2e-3 is too high there',
    edits: [FULL, NO_LORA, [RATE, 'rate: 2e-3']],
    found: ['rate-out-of-range'],
  },
  { name: '2e-5 is a rate for full fine-tuning', edits: [FULL, NO_LORA, [RATE, 'rate: 2e-5']] },
  { name: '5e-5 is a rate for full fine-tuning', edits: [FULL, NO_LORA, [RATE, 'rate: 5e-5']] },
  {
    name: 'random weights take any rate',
    edits: [FULL, NO_LORA, [RATE, 'rate: 3e-3'], ['base = starter()', `base = ${SCRATCH}`]],
  },

  {
    name: 'bottleneck adapters have neither rank nor a range of rates',
    edits: [
      [NO_LORA[0], '  adapter = { reduction: 8 }\n'],
      [RATE, 'rate: 1e-3'],
    ],
  },

  {
    name: 'a head over labels takes any rate, and nothing of other subjects',
    edits: [...HEAD, [RATE, 'rate: 1e-2']],
  },

  { name: 'alpha = rank', edits: [['alpha: 32', 'alpha: 16']] },
  { name: 'alpha above 2·rank', edits: [['alpha: 32', 'alpha: 33']], found: ['alpha-out-of-proportion'] },
  { name: 'alpha below rank', edits: [['alpha: 32', 'alpha: 15']], found: ['alpha-out-of-proportion'] },
  {
    name: 'a rank that its default alpha does not fit',
    edits: [['rank: 16, alpha: 32', 'rank: 64']],
    found: ['alpha-out-of-proportion'],
  },

  {
    name: 'attention only',
    edits: [['rank: 16', 'targets: attention, rank: 16']],
    found: ['targets-without-mlp'],
  },
  {
    name: 'a list without MLP',
    edits: [['rank: 16', 'targets: [q_proj, v_proj], rank: 16']],
    found: ['targets-without-mlp'],
  },
  { name: 'a list with MLP', edits: [['rank: 16', 'targets: [q_proj, up_proj], rank: 16']] },
  { name: 'all linear', edits: [['rank: 16', 'targets: all_linear, rank: 16']] },

  {
    name: 'special tokens whose rows are not trained',
    edits: [['base = starter()', 'base = starter(special_tokens: ["<a>"])'], OWN_BASELINE],
    found: ['untrained-tokens'],
  },
  {
    name: 'special tokens with the head alone',
    edits: [
      ['base = starter()', 'base = starter(special_tokens: ["<a>"])'],
      ['rank: 16', 'modules_to_save: [lm_head], rank: 16'],
      OWN_BASELINE,
    ],
    found: ['untrained-tokens'],
  },
  {
    name: 'special tokens, trained with the embedding',
    edits: [
      ['base = starter()', 'base = starter(special_tokens: ["<a>", "[b]"])'],
      ['rank: 16', 'modules_to_save: [embed_tokens], rank: 16'],
      ['baseline = starter()', 'baseline = starter(special_tokens: ["<a>", "[b]"])'],
    ],
  },
  {
    name: 'special tokens, with factors over the embedding',
    edits: [
      ['base = starter()', 'base = starter(special_tokens: ["<a>"])'],
      ['rank: 16', 'targets: [all_linear, "embed_tokens"], rank: 16'],
      OWN_BASELINE,
    ],
  },
  {
    name: 'special tokens, all weights trained',
    edits: [
      ['base = starter()', 'base = starter(special_tokens: ["<a>"])'],
      OWN_BASELINE,
      FULL,
      NO_LORA,
      ['rate: 2e-4', 'rate: 2e-5'],
    ],
  },
  {
    name: 'a word as a special token',
    edits: [
      ['base = starter()', 'base = starter(special_tokens: ["<a>", "tool"])'],
      ['rank: 16', 'modules_to_save: [embed_tokens], rank: 16'],
      ['baseline = starter()', 'baseline = starter(special_tokens: ["<a>", "tool"])'],
    ],
    found: ['token-is-a-word'],
  },

  { name: '3 epochs', edits: [['epochs: 2', 'epochs: 3']] },
  { name: '3.5 epochs', edits: [['epochs: 2', 'epochs: 3.5']], found: ['too-many-epochs'] },

  {
    name: 'no validation, and no word of early stopping then',
    edits: [
      ['  validate = dialogs.valid\n', ''],
      [', patience: 3', ''],
    ],
    found: ['no-validation'],
  },
  { name: 'no patience', edits: [[', patience: 3', '']], found: ['no-early-stopping'] },

  { name: 'no gate', edits: [['  when = quality.passed\n', '']], found: ['no-eval-gate'] },
  {
    name: 'a gate that is always open',
    edits: [['  require perplexity < baseline.perplexity\n', '']],
    found: ['no-eval-gate'],
  },

  {
    name: '500 rows',
    edits: [
      ['train: 80%, valid: 10%, test: 10%', 'train: 50%, valid: 25%, test: 25%'],
      ['stop =', 'checkpoint = { every: 5steps }\n  stop ='],
    ],
    files: { 'data/rows.jsonl': rowsOf(1000) },
  },
  {
    name: '499 rows',
    edits: [
      ['train: 80%, valid: 10%, test: 10%', 'train: 50%, valid: 25%, test: 25%'],
      ['stop =', 'checkpoint = { every: 5steps }\n  stop ='],
    ],
    files: { 'data/rows.jsonl': rowsOf(998) },
    found: ['too-few-rows'],
  },
  {
    name: 'blank lines and CRLF are no rows',
    edits: [['stop =', 'checkpoint = { every: 5steps }\n  stop =']],
    files: { 'data/rows.jsonl': '{"instruction":"a","output":"b"}\r\n\r\n\n'.repeat(700) },
  },
  {
    name: 'a limit leaves too few',
    edits: [
      ['  dedupe', '  limit = 100\n  dedupe'],
      ['stop =', 'checkpoint = { every: 1steps }\n  stop ='],
    ],
    found: ['too-few-rows'],
  },
  {
    name: 'a limit that a parameter switches on is for trying things out',
    edits: [
      ['data rows {', 'param smoke: Bool = false\n\ndata rows {'],
      ['  dedupe', '  limit = smoke ? 100 : none\n  dedupe'],
    ],
    params: { smoke: 'true' },
  },
  {
    name: 'files of many megabytes are not counted',
    edits: [],
    files: { 'data/rows.jsonl': `{"a":"${'x'.repeat(5 << 20)}"}\n` },
  },

  {
    name: 'no general rows',
    edits: [['  mix = { general: jsonl("data/general.jsonl"), share: 5% }\n', '']],
    found: ['no-general-mix'],
  },
  { name: '4% general rows', edits: [['share: 5%', 'share: 4%']], found: ['no-general-mix'] },
  { name: '11% general rows', edits: [['share: 5%', 'share: 11%']], found: ['no-general-mix'] },
  { name: '10% general rows', edits: [['share: 5%', 'share: 10%']] },

  { name: '10% warm-up', edits: [['warmup: 3%', 'warmup: 10%']] },
  { name: '2% warm-up', edits: [['warmup: 3%', 'warmup: 2%']], found: ['warmup-out-of-range'] },
  { name: '11% warm-up', edits: [['warmup: 3%', 'warmup: 11%']], found: ['warmup-out-of-range'] },
  { name: '20 of 400 steps', edits: [['warmup: 3%', 'warmup: 20steps']] },
  { name: '100 of 400 steps', edits: [['warmup: 3%', 'warmup: 100steps']], found: ['warmup-out-of-range'] },
  {
    name: '100 steps of 2000, over as many epochs as they take',
    edits: [
      ['warmup: 3%', 'warmup: 100steps'],
      ['epochs: 2', 'steps: 2000'],
    ],
  },
  { name: 'no schedule', edits: [[', schedule: cosine(warmup: 3%)', '']], found: ['warmup-out-of-range'] },

  {
    name: 'a model of the Hub without a commit',
    edits: [
      ['base = starter()', 'base = hf("org/model", revision: "v1")'],
      ['baseline = starter()', 'baseline = hf("org/model")'],
    ],
    found: ['unpinned-model'],
  },
  {
    name: 'a model of the Hub with a commit',
    edits: [['base = starter()', `base = hf("org/model", revision: "${'a'.repeat(40)}")`]],
  },
  {
    name: 'a model of the Hub that the lock has',
    edits: [['base = starter()', 'base = hf("org/model")']],
    files: { 'pipeline.lock': lock({ models: { 'hf org/model@main': { ...PINNED, licence: 'mit' } } }) },
  },
  {
    name: 'a model of the Hub whose card says nothing of a licence',
    edits: [['base = starter()', 'base = hf("org/model")']],
    files: { 'pipeline.lock': lock({ models: { 'hf org/model@main': PINNED } }) },
    found: ['licence-unknown'],
  },
  {
    name: 'a model of the Hub of which the lock has another revision',
    edits: [['base = starter()', 'base = hf("org/model", revision: "v2")']],
    files: { 'pipeline.lock': lock({ models: { 'hf org/model@main': PINNED } }) },
    found: ['unpinned-model'],
  },
  {
    name: 'rows of the Hub that the lock has counted',
    edits: [
      ['import { jsonl }', 'import { hub, jsonl }'],
      ['jsonl("data/rows.jsonl")', 'hub("org/rows")'],
      ['stop =', 'checkpoint = { every: 5steps }\n  stop ='],
    ],
    files: {
      'pipeline.lock': lock({
        data: {
          'hub org/rows@main': { ...PINNED, files: { 'a.jsonl': ROWS, 'b.jsonl': ROWS } },
        },
      }),
    },
    found: ['too-few-rows'],
  },
  {
    name: 'a lock that is none',
    edits: [['base = starter()', 'base = hf("org/model")']],
    files: { 'pipeline.lock': '<<<<<<< HEAD' },
    found: ['unpinned-model'],
  },
  {
    name: 'rows of the Hub',
    edits: [
      ['import { jsonl }', 'import { hub, jsonl }'],
      ['jsonl("data/rows.jsonl")', 'hub("org/rows")'],
    ],
    found: ['unpinned-data'],
  },

  {
    name: 'a model without a licence',
    edits: [['base = starter()', 'base = local("model")']],
    found: ['licence-unknown'],
  },
  {
    name: 'a model card with a licence',
    edits: [['base = starter()', 'base = local("model")']],
    files: { 'model/README.md': '---\nlanguage: en\nlicense: apache-2.0\n---\n' },
  },
  {
    name: 'a model card that says nothing of a licence',
    edits: [['base = starter()', 'base = local("model")']],
    files: { 'model/README.md': '---\nlanguage: en\n---\nlicense: none\n' },
    found: ['licence-unknown'],
  },

  {
    name: 'evaluated on its training rows',
    edits: [['dialogs.test', 'dialogs.train']],
    found: ['train-test-overlap'],
  },
  { name: 'evaluated on all rows', edits: [['dialogs.test', 'dialogs.all']], found: ['train-test-overlap'] },
  {
    name: 'validated on its training rows',
    edits: [['dialogs.valid', 'dialogs.train']],
    found: ['train-test-overlap'],
  },
  {
    name: 'the same files, split twice',
    edits: [
      [
        'format dialogs',
        'data other {\n  source = jsonl("data/rows.jsonl")\n  dedupe = [exact, near(0.9)]\n  split = { train: 50%, test: 50% }\n}\n\nformat again {\n  from = other\n  template = chat()\n}\n\nformat dialogs',
      ],
      ['dialogs.test', 'again.test'],
    ],
    found: ['train-test-overlap'],
  },
  {
    name: 'evaluated where it was watched',
    edits: [['dialogs.test', 'dialogs.valid']],
    found: ['evaluates-on-valid'],
  },

  {
    name: 'nothing is evaluated',
    edits: [
      [BASE.slice(BASE.indexOf('eval quality')), ''],
      ['import { perplexity } from "std/eval"\n', ''],
    ],
    found: ['never-evaluated'],
  },
  {
    name: 'no baseline',
    edits: [
      ['  baseline = starter()\n', ''],
      ['< baseline.perplexity', '< 20'],
    ],
    found: ['no-baseline'],
  },
  {
    name: 'the base itself needs no baseline',
    edits: [
      [
        'eval quality',
        'eval untouched {\n  model = starter()\n  dataset = dialogs.test\n  metrics = [perplexity]\n}\n\neval quality',
      ],
    ],
  },

  {
    name: 'of the trials of a search, the best one is evaluated',
    edits: [
      [
        'data rows',
        'matrix rate: Number = [1e-4, 2e-4]\nmatrix found: Search = search(random, trials: 2, by: adapter.valid_loss)\n\ndata rows',
      ],
      ['rate: 2e-4', 'rate: rate'],
      ['model = adapter.best\n  dataset', 'model = found.adapter.best\n  dataset'],
      ['model = adapter.best\n  when', 'model = found.adapter.best\n  when'],
    ],
  },
  {
    name: 'rows that come with ftpc have no duplicates',
    edits: [
      ['import { jsonl }', 'import { jsonl, sample }'],
      [
        'eval quality',
        'data asked {\n  source = sample(safety)\n}\n\nformat prompts {\n  from = asked\n  template = chat()\n}\n\neval extra {\n  model = adapter.best\n  dataset = prompts.all\n  baseline = starter()\n  metrics = [perplexity]\n}\n\neval quality',
      ],
    ],
  },
  { name: 'no dedupe', edits: [['  dedupe = [exact, near(0.9)]\n', '']], found: ['no-deduplication'] },
  {
    name: 'rows that are made up need neither dedupe nor a mix',
    edits: [
      ['  dedupe = [exact, near(0.9)]\n', ''],
      ['  mix = { general: jsonl("data/general.jsonl"), share: 5% }\n', ''],
      ['jsonl("data/rows.jsonl")', 'synthetic(rows: 4000, length: 64tok)'],
      ['import { jsonl }', 'import { synthetic }'],
      ['template = chat()', 'template = tokens()'],
      ['import { chat }', 'import { tokens }'],
    ],
  },
  { name: 'exact only', edits: [[', near(0.9)', '']], found: ['no-near-deduplication'] },
  { name: 'near only', edits: [['exact, ', '']] },
  { name: 'truncated', edits: [['chat()', 'chat()\n  overflow = truncate']], found: ['overflow-truncates'] },
  { name: 'loss on all', edits: [['chat()', 'chat()\n  loss_on = all']], found: ['loss-on-prompt'] },
  {
    name: 'loss on all of a completion',
    edits: [
      ['chat()', 'completion()\n  loss_on = all'],
      ['import { chat }', 'import { completion }'],
    ],
    files: { 'data/rows.jsonl': '{"text":"a"}\n'.repeat(20_000) },
  },
  {
    name: 'no dropout on 800 rows',
    edits: [
      [', dropout: 5%', ''],
      ['stop =', 'checkpoint = { every: 10steps }\n  stop ='],
    ],
    files: { 'data/rows.jsonl': rowsOf(1000) },
    found: ['dropout-on-small-data'],
  },
  {
    name: 'an adapter over the embedding on few rows',
    edits: [
      ['rank: 16, alpha: 32', 'rank: 16, alpha: 32, targets: [all_linear, embed_tokens]'],
      ['stop =', 'checkpoint = { every: 10steps }\n  stop ='],
    ],
    files: { 'data/rows.jsonl': rowsOf(1000) },
    found: ['embedding-on-small-data'],
  },
  {
    name: 'an adapter over embedding and head on many rows',
    edits: [['rank: 16, alpha: 32', 'rank: 16, alpha: 32, targets: [all_linear, embed_tokens, lm_head]']],
  },
  { name: 'no dropout on many rows', edits: [[', dropout: 5%', '']] },
  { name: 'clipped at 2', edits: [['clip: 1', 'clip: 2']], found: ['clip-out-of-range'] },
  { name: 'clipped at 0.3', edits: [['clip: 1', 'clip: 0.3']] },
  { name: 'clipped at 0.1', edits: [['clip: 1', 'clip: 0.1']], found: ['clip-out-of-range'] },
  { name: 'rank 4', edits: [['rank: 16, alpha: 32', 'rank: 4, alpha: 8']], found: ['rank-too-low'] },
  {
    name: 'two validations, patience 3',
    edits: [['stop =', 'checkpoint = { every: 200steps }\n  stop =']],
    found: ['patience-out-of-reach'],
  },
  ...PREFERENCES.map(
    ({ objective, rate = '1e-4', edits = [], found }): Case => ({
      name: `${objective} at ${rate}${edits.map(([, to]) => `, ${to}`).join('')}`,
      edits: [...preferring(objective, rate), ...edits],
      files: PAIR_ROWS,
      found,
    }),
  ),
  {
    name: 'a preset of the library is its own reason',
    edits: [
      ['train adapter {', 'train adapter using light {'],
      NO_LORA,
      ['import { chat }', 'import { light } from "std/train"\nimport { chat }'],
    ],
  },
];

describe('lint rules', () => {
  for (const { name, edits, files, params, found } of CASES)
    it(`${name}: ${found?.join(', ') ?? 'nothing'}`, () => {
      const { compiled, found: ids } = linted(changed(...edits), files, params);
      expect(compiled.diagnostics.map(({ message }) => message)).to.deep.equal([]);
      expect(ids).to.deep.equal(found ?? []);
    });

  for (const { name, edits, files, params } of CASES.filter(({ found }) => found !== undefined))
    it(`${name}: its fixes fix it`, () => {
      const text = changed(...edits);
      for (const { rule = '', fixes = [] } of linted(text, files, params).report.diagnostics)
        for (const fix of fixes) {
          const again = linted(applyEdits(text, fix.edits), files, params);
          expect(
            again.compiled.diagnostics.map(({ message }) => message),
            fix.title,
          ).to.deep.equal([]);
          expect(again.found, fix.title).to.not.include(rule);
        }
    });

  it('are each found by a case', () => {
    const found = new Set(CASES.flatMap(({ found }) => found ?? []));
    const elsewhere = ['gate-of-other-model'];
    expect(rules.map(({ id }) => id).filter((id) => !found.has(id))).to.deep.equal(elsewhere);
  });

  it('have codes and ids of their own', () => {
    expect(new Set(rules.map(({ id }) => id)).size).to.equal(rules.length);
    expect(new Set(rules.map(({ code }) => code)).size).to.equal(rules.length);
    for (const { id } of rules) expect(id).to.match(/^[a-z]+(-[a-z]+)*$/);
  });

  it('name the block, not the instances of a matrix, and only once', () => {
    const text = changed(
      ['data rows', 'matrix seed: Int = [1, 2, 3]\n\ndata rows'],
      ['epochs: 2, patience: 3', 'epochs: 9, patience: 3'],
      ['stop =', 'seed = seed\n  stop ='],
    );
    const { report, compiled } = linted(text.slice(0, text.indexOf('deploy local')));
    expect(compiled.diagnostics.map(({ message }) => message)).to.deep.equal([]);
    expect(report.diagnostics.map(({ rule }) => rule)).to.deep.equal(['too-many-epochs']);
  });

  it('scale alpha by the root of the rank with rsLoRA', () => {
    const { report, compiled } = linted(BASE);
    expect(report.diagnostics).to.deep.equal([]);
    const [train] = compiled.analysis?.stages.filter(({ stage }) => stage.kind === 'train') ?? [];
    if (train === undefined) throw new Error('no train stage');
    const lora = { rank: 64, alpha: 16, rslora: true };
    const checked = { ...train, stage: { ...train.stage, settings: { ...train.stage.settings, lora } } };
    const pipeline = {
      of: () => [checked],
      place: () => ({ span: train.block.span, literal: false, byLibrary: false }),
    };
    const [alphaOutOfProportion] = adapterRules;
    expect(alphaOutOfProportion?.check(pipeline as never)).to.deep.equal([]);
  });
});
