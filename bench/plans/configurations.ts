/** Trainings of two bases by every method, each of which is planned and run for two steps. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeName } from '../../src/language/ir/runtimes.js';
import { writeBase } from './bases.js';
import type { PlannedPipeline } from './pipelines.js';
import { writeRows } from './rows.js';

/** Fields of the starter's `config.json` that differ. */
const BASES = {
  /** Many small blocks: 69 MiB of float32. */
  deep: { num_hidden_layers: 44 },
  /** Few wide ones under a vocabulary of SmolLM2's size: 215 MiB of float32. */
  wide: {
    ...{ hidden_size: 576, intermediate_size: 1536, num_attention_heads: 9, num_key_value_heads: 3 },
    ...{ head_dim: 64, num_hidden_layers: 8, vocab_size: 49152 },
  },
  /** As the starter, for rows of up to 4,096 tokens. */
  long: { max_position_embeddings: 4096 },
} as const;
type BaseName = keyof typeof BASES;
type MethodBase = Exclude<BaseName, 'long'>;

interface Configuration {
  readonly method?: 'lora' | 'qlora' | 'full' | 'head';
  /** Settings of the train stage; those that are not given are `PLAIN`'s. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly options?: readonly string[];
  readonly runtime?: RuntimeName;
  /** What rows are made for; default: chats. */
  readonly rows?: keyof typeof ROWS;
  /** Most tokens of a row, which all rows have about; default: short rows of several lengths. */
  readonly length?: number;
  /** Tokens of the shortest row, where they have every length between; default: {@link length}. */
  readonly shortest?: number;
}

const ROW_COUNT = 32;

const PLAIN = {
  optimizer: 'adamw(rate: 1e-3)',
  batch: '{ global: 4, micro: 4 }',
  stop: '{ steps: 2 }',
};
const MORE_ROWS = { batch: '{ global: 16, micro: 16 }' };

const METHODS = {
  lora: { method: 'lora' },
  'lora, rank 64, dropout': { method: 'lora', settings: { lora: '{ rank: 64, dropout: 10% }' } },
  'lora, attention alone, rslora': {
    method: 'lora',
    settings: { lora: '{ targets: attention, rslora: true }' },
  },
  dora: { method: 'lora', settings: { lora: '{ dora: true }' } },
  'lora, pissa': { method: 'lora', settings: { lora: '{ init: pissa }' } },
  'lora, head trained': {
    method: 'lora',
    settings: { lora: '{ modules_to_save: [lm_head, embed_tokens] }' },
  },
  'lora, embedding and head': {
    method: 'lora',
    settings: { lora: '{ rank: 16, targets: [all_linear, embed_tokens, lm_head], dropout: 10% }' },
  },
  'qlora, embedding and head': {
    method: 'qlora',
    settings: { lora: '{ rank: 16, targets: [all_linear, embed_tokens, lm_head] }', ...MORE_ROWS },
  },
  'lora, 16 rows at a time': { method: 'lora', settings: MORE_ROWS },
  'lora, packing': { method: 'lora', settings: { batch: '{ global: 8, packing: true }' } },
  'lora, validation': { method: 'lora', settings: { validate: 'dialogs.all' } },
  'lora, 32 rows of the validation answered': {
    method: 'lora',
    settings: {
      validate: 'dialogs.all',
      validation: '{ metrics: [rouge_l], rows: 32, max_tokens: 64tok }',
    },
  },
  'lora, adamw8bit': { method: 'lora', settings: { optimizer: 'adamw8bit(rate: 1e-3)' } },
  qlora: { method: 'qlora' },
  'qlora, 16 rows at a time': { method: 'qlora', settings: MORE_ROWS },
  'qlora, dora': { method: 'qlora', settings: { lora: '{ dora: true }' } },
  full: { method: 'full' },
  'full, lion': { method: 'full', settings: { optimizer: 'lion(rate: 1e-4)' } },
  'full, adafactor': { method: 'full', settings: { optimizer: 'adafactor(rate: 1e-3)' } },
  'full, sgd': { method: 'full', settings: { optimizer: 'sgd(rate: 1e-3)' } },
  'full, adamw8bit': { method: 'full', settings: { optimizer: 'adamw8bit(rate: 1e-4)' } },
  prompt: { settings: { prompt: '{ tokens: 20 }' } },
  prefix: { settings: { prefix: '{ tokens: 20 }' } },
  bottlenecks: { settings: { adapter: '{ kind: houlsby }' } },
  'a classifier, lora': { method: 'lora', rows: 'labels' },
  'a classifier, head alone': { method: 'head', rows: 'labels' },
  ...preferred('dpo()', ['lora', 'qlora', 'full']),
  ...preferred('orpo()', ['lora', 'full']),
  ...preferred('kto()', ['lora', 'qlora']),
  ...preferred('reward()', ['lora', 'qlora', 'full']),
} as const satisfies Readonly<Record<string, Configuration>>;

/** Trainings on pairs of answers. */
function preferred(
  objective: string,
  methods: readonly NonNullable<Configuration['method']>[],
): Readonly<Record<string, Configuration>> {
  const entries = methods.map((method): [string, Configuration] => [
    `${objective.replace('()', '')}, ${method}`,
    { method, settings: { objective }, rows: 'pairs' },
  ]);
  return Object.fromEntries(entries);
}

/** What memory that is short makes of a plan. */
const SHORT: Readonly<Record<MethodBase, Readonly<Record<string, Configuration>>>> = {
  deep: {
    'lora, 16 rows, in 400 MiB': { method: 'lora', settings: MORE_ROWS, options: ['--memory', '400MiB'] },
    'lora, in 280 MiB': { method: 'lora', options: ['--memory', '280MiB'] },
  },
  wide: {
    'lora, 16 rows, in 700 MiB': { method: 'lora', settings: MORE_ROWS, options: ['--memory', '700MiB'] },
    'lora, in 400 MiB': { method: 'lora', options: ['--memory', '400MiB'] },
  },
};

/** One row at a time: in as many steps as there are rows, of which each has its own length. */
const MANY_LENGTHS: Readonly<Record<string, Configuration>> = Object.fromEntries(
  Object.entries<readonly [number, number]>({
    'rows of 64 to 512 tokens': [64, 512],
    'rows of 480 to 1,800 tokens': [480, 1800],
    'rows of 512 to 4,096 tokens': [512, 4096],
  }).map(([name, [shortest, length]]): [string, Configuration] => [
    name,
    {
      ...{ method: 'lora', length, shortest },
      settings: { batch: '{ global: 1, micro: 1 }', stop: `{ steps: ${ROW_COUNT} }` },
    },
  ]),
);

/** One row at a time, of many tokens: in short memory, blocks are recomputed. */
const LONG_ROWS: Readonly<Record<string, Configuration>> = Object.fromEntries(
  Object.entries<readonly [number, string?]>({
    'rows of 2,048 tokens': [2048],
    'rows of 2,048 tokens, in 280 MiB': [2048, '280MiB'],
    'rows of 4,096 tokens': [4096],
    'rows of 4,096 tokens, in 400 MiB': [4096, '400MiB'],
  }).map(([name, [length, memory]]): [string, Configuration] => [
    name,
    {
      ...{ method: 'lora', length, settings: { batch: '{ global: 1, micro: 1 }' } },
      options: memory === undefined ? [] : ['--memory', memory],
    },
  ]),
);

/** Runtimes other than the one that comes with ftpc. */
const ELSEWHERE: Readonly<Record<string, Configuration>> = Object.fromEntries(
  (['tensorflow', 'wasm'] as const).flatMap((runtime) =>
    Object.entries<Configuration>({ lora: METHODS.lora, full: METHODS.full }).map(([name, configuration]) => [
      `${name}, ${runtime}`,
      { ...configuration, runtime },
    ]),
  ),
);

const OF_BASES: Readonly<Record<BaseName, Readonly<Record<string, Configuration>>>> = {
  deep: { ...METHODS, ...SHORT.deep, ...ELSEWHERE },
  wide: { ...METHODS, ...SHORT.wide, ...ELSEWHERE },
  long: { ...LONG_ROWS, ...MANY_LENGTHS },
};
const isBase = (name: string): name is BaseName => Object.hasOwn(BASES, name);

/** Every method of two bases, and long rows, in the order in which they are listed. */
export const CONFIGURATIONS: readonly PlannedPipeline[] = Object.keys(OF_BASES)
  .filter(isBase)
  .flatMap((base) =>
    Object.entries(OF_BASES[base]).map(([name, configuration]) => ({
      title: `${base}: ${name}`,
      options: configuration.options ?? [],
      runtime: configuration.runtime,
      stage: 'adapter',
      write: (folder: string) => write(folder, base, configuration),
    })),
  );

function write(folder: string, base: BaseName, configuration: Configuration): string {
  writeBase(join(folder, 'base'), BASES[base]);
  const { row: rowOf } = ROWS[configuration.rows ?? 'chats'];
  const { length, shortest = length } = configuration;
  const phrases = (index: number) => {
    if (length === undefined || shortest === undefined) return 4 + (index % 8);
    const tokens = shortest + ((length - shortest) * index) / (ROW_COUNT - 1);
    return Math.floor((tokens - LONG_REST) / PHRASE_TOKENS);
  };
  writeRows(folder, 'rows.jsonl', ROW_COUNT, (index) =>
    rowOf(`question ${index} ${PHRASE.repeat(phrases(index))}`, index),
  );
  writeFileSync(join(folder, 'plan.ftp'), pipelineOf(configuration));
  return 'plan.ftp';
}

const PHRASE = 'about the law of contracts ';
/** Tokens of it, and at most of the rest of a row, by the starter's tokenizer. */
const PHRASE_TOKENS = 8;
const LONG_REST = 64;

/** Rows by what is learned from them. */
const ROWS = {
  chats: { template: 'chat', row: (text: string) => ({ instruction: text, output: ANSWER }) },
  labels: {
    template: 'labelled',
    row: (text: string, index: number) => ({ text, label: index % 2 === 0 ? 'yes' : 'no' }),
  },
  pairs: {
    template: 'preference',
    // all as long: two steps see few of many answers, and are to see one of the longest
    row: (_: string, index: number) => ({
      prompt: [{ role: 'user', content: `question ${index} ${'about the law of contracts '.repeat(11)}` }],
      ...{ chosen: ANSWER, rejected: OTHER },
    }),
  },
} as const;
const ANSWER = 'It is an answer that the court has given before.';
const OTHER = 'No court would ever say such a thing.';

function pipelineOf({ method, settings, rows = 'chats', length = 192 }: Configuration): string {
  const { template } = ROWS[rows];
  const [using, all] = [method === undefined ? '' : ` using ${method}`, { ...PLAIN, ...settings }];
  return `edition 2026
import { jsonl } from "std/data"
import { ${template} } from "std/format"
import { rouge_l } from "std/eval"

data rows {
  source = jsonl("rows.jsonl")
}
format dialogs {
  from = rows
  template = ${template}()
  max_length = ${length}tok
}
train adapter${using} {
  base = local("base")
  dataset = dialogs.all
${Object.entries(all)
  .map(([name, value]) => `  ${name} = ${value}`)
  .join('\n')}
}
`;
}
